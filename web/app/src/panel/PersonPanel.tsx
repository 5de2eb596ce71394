import { PersonView, useStrings } from '@klatch/views';
import { useMemo, useState } from 'react';
import { paths } from '../router/route';
import { useServices } from '../services/services';
import { useAttempt } from '../services/useAttempt';
import { usePresence } from '../services/usePresence';
import { copyText } from '../support/copy';
import { personOf } from '../support/names';
import { useReadable } from '../support/useReadable';

export function PersonPanel({ user: id }: { user: string }) {
  const { client, router, ui } = useServices();
  const strings = useStrings();
  const attempt = useAttempt();
  const user = useReadable(useMemo(() => client.people.get(id), [client, id]));
  const me = useReadable(client.account.me);
  const blocked = useReadable(client.account.blocks).has(id);
  const shown = useMemo(() => [id], [id]);
  const presence = usePresence('person', shown);
  const [resetLink, setResetLink] = useState<string | null>(null);
  if (!user) return null;
  const person = personOf(id, new Map([[id, user]]), strings);
  const block = () =>
    ui.dialog.set({
      type: 'sure',
      title: strings.panel.blockSure(person.name),
      text: strings.panel.blockText,
      action: strings.panel.block,
      danger: true,
      onYes: () => client.account.block(id),
    });
  return (
    <PersonView
      snapshot={{
        person,
        about: user.about,
        presence: presence.get(id) ?? 'offline',
        me: id === me?.id,
        state: user.state,
        network: user.origin?.network ?? null,
        blocked,
        canReset: me?.role === 'owner',
        resetLink,
      }}
      actions={{
        write: () =>
          void attempt(async () => router.go(paths.conversation(await client.conversations.direct(id)))),
        edit: () => router.go(paths.settings('profile')),
        block,
        unblock: () => void attempt(() => client.account.unblock(id)),
        reset: () => void attempt(async () => setResetLink((await client.site.createPasswordReset(id)).link)),
        copyReset: () => void copyText(resetLink ?? '').then(() => ui.say(strings.common.copied)),
      }}
    />
  );
}
