import type { ChannelListing } from '@klatch/client';
import { cleanName, EmptyView, useStrings } from '@klatch/views';
import { useEffect, useState, type ReactNode } from 'react';
import { useServices } from '../services/services';
import { useAttempt } from '../services/useAttempt';

interface Props {
  conversation: string;
  /** What is shown where there is no such channel. */
  otherwise: ReactNode;
}

/** Before a channel one is not in: whoever follows a link to it sees where it leads, and may come in. */
export function ChannelDoor({ conversation, otherwise }: Props) {
  const { client } = useServices();
  const strings = useStrings();
  const attempt = useAttempt();
  const [channel, setChannel] = useState<ChannelListing | null | 'unknown'>('unknown');
  useEffect(() => {
    let wanted = true;
    client.conversations.channel(conversation).then(
      (found) => wanted && setChannel(found),
      () => wanted && setChannel(null),
    );
    return () => {
      wanted = false;
    };
  }, [client, conversation]);
  if (channel === 'unknown') return null;
  // Its owner, or whoever was just added, is on the way in.
  if (channel === null || channel.joined) return otherwise;
  const about = [strings.common.members(channel.members), channel.topic].filter(Boolean).join(' · ');
  return (
    <EmptyView
      icon="hash"
      title={cleanName(channel.name)}
      text={about}
      actions={[
        {
          label: strings.timeline.joinChannel,
          primary: true,
          onPress: () => void attempt(() => client.conversations.join(conversation)),
        },
      ]}
    />
  );
}
