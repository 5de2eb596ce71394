import type { MessageItem } from '@klatch/client';
import { PinsView, useStrings } from '@klatch/views';
import { useEffect, useMemo, useState } from 'react';
import { messageSnapshot } from '../conversation/messages';
import { paths } from '../router/route';
import { useServices } from '../services/services';
import { useNow } from '../services/useNow';
import { useReadable } from '../support/useReadable';

const nothing: ReadonlySet<string> = new Set();

export function PinsPanel({ conversation }: { conversation: string }) {
  const { client, router } = useServices();
  const strings = useStrings();
  const now = useNow();
  const item = useReadable(useMemo(() => client.conversations.get(conversation), [client, conversation]));
  const known = useReadable(client.people.known);
  const blocked = useReadable(client.account.blocks);
  const me = useReadable(client.account.me)?.id ?? '';
  const [pins, setPins] = useState<readonly MessageItem[] | null>(null);
  const head = item?.head.seq;
  useEffect(() => {
    let wanted = true;
    client.messages.pins(conversation).then(
      (found) => wanted && setPins(found),
      () => wanted && setPins((last) => last ?? []),
    );
    return () => {
      wanted = false;
    };
  }, [client, conversation, head]);
  if (!item) return null;
  const context = {
    conversation: item,
    me,
    known,
    blocked,
    revealed: nothing,
    gone: nothing,
    loaded: new Map(),
    channels: [],
    online: true,
    strings,
  };
  return (
    <PinsView
      snapshot={{
        pins: (pins ?? []).map((pin) => messageSnapshot(pin, context, null)),
        loading: pins === null,
        now,
      }}
      actions={{
        show: (id) => router.go(paths.message(conversation, id)),
        unpin: (id) => {
          client.messages.unpin(conversation, id);
          setPins((last) => last?.filter((pin) => pin.id !== id) ?? null);
        },
      }}
    />
  );
}
