import { CreateConversationView } from '@klatch/views';
import { useMemo, useState } from 'react';
import { paths } from '../router/route';
import { useServices } from '../services/services';
import { useAttempt } from '../services/useAttempt';
import { usePeopleSearch } from '../support/usePeopleSearch';

export function Create({ kind, onClose }: { kind: 'channel' | 'group'; onClose: () => void }) {
  const { client, router } = useServices();
  const attempt = useAttempt();
  const [busy, setBusy] = useState(false);
  const me = client.account.me.get()?.id ?? '';
  const people = usePeopleSearch(useMemo(() => new Set([me]), [me]));
  const onCreate = async ({ name, topic }: { name: string; topic: string }) => {
    setBusy(true);
    await attempt(async () => {
      const members = people.chosen.map(({ id }) => id);
      const made = await client.conversations.create({
        kind,
        name,
        ...(topic && { topic }),
        ...(members.length > 0 && { members }),
      });
      onClose();
      router.go(paths.conversation(made));
    });
    setBusy(false);
  };
  return (
    <CreateConversationView
      kind={kind}
      busy={busy}
      people={people}
      onCreate={(made) => void onCreate(made)}
      onClose={onClose}
    />
  );
}
