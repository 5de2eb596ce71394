import { DetailsView, useStrings } from '@klatch/views';
import { useMemo } from 'react';
import { paths } from '../router/route';
import { useServices } from '../services/services';
import { useAttempt } from '../services/useAttempt';
import { copyText } from '../support/copy';
import { conversationName } from '../support/names';
import { useReadable } from '../support/useReadable';

export function DetailsPanel({ conversation }: { conversation: string }) {
  const { client, router, ui } = useServices();
  const strings = useStrings();
  const attempt = useAttempt();
  const item = useReadable(useMemo(() => client.conversations.get(conversation), [client, conversation]));
  const known = useReadable(client.people.known);
  if (!item) return null;
  const { conversations } = client;
  const name = conversationName(item, known, strings);
  const leave = () =>
    ui.dialog.set({
      type: 'sure',
      title: strings.panel.leaveSure(name),
      text: item.kind === 'channel' ? strings.panel.leaveTextChannel : strings.panel.leaveText,
      action: strings.panel.leave,
      danger: true,
      onYes: async () => {
        await conversations.leave(conversation);
        router.go(paths.home());
      },
    });
  return (
    <DetailsView
      snapshot={{
        kind: item.kind,
        name,
        topic: item.topic,
        members: item.members,
        notify: item.settings.notify,
        favourite: item.settings.favourite,
        history: item.history,
        can: {
          change: item.role !== 'member',
          changeHistory: item.role === 'owner' && item.kind !== 'direct',
          leave: item.kind !== 'direct',
        },
      }}
      actions={{
        change: ({ name: next, topic }) =>
          attempt(() =>
            conversations.change(conversation, {
              ...(next !== item.name && { name: next }),
              ...(topic !== item.topic && { topic }),
            }),
          ),
        setNotify: (notify) => void attempt(() => conversations.changeSettings(conversation, { notify })),
        setFavourite: (favourite) =>
          void attempt(() => conversations.changeSettings(conversation, { favourite })),
        setHistory: (history) => void attempt(() => conversations.change(conversation, { history })),
        copyLink: () =>
          void copyText(location.origin + paths.conversation(conversation)).then(() =>
            ui.say(strings.common.copied),
          ),
        members: () => router.go(paths.conversation(conversation, { panel: 'members' })),
        leave,
      }}
    />
  );
}
