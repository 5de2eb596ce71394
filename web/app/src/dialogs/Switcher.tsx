import type { User } from '@klatch/client';
import { QuickSwitcherView, useStrings, type SwitcherEntry } from '@klatch/views';
import { useEffect, useMemo, useState } from 'react';
import { paths } from '../router/route';
import { useServices } from '../services/services';
import { useAttempt } from '../services/useAttempt';
import { conversationName, personOf } from '../support/names';
import { useReadable } from '../support/useReadable';
import { rankFuzzy } from './fuzzy';

const most = 12;

export function Switcher({ onClose }: { onClose: () => void }) {
  const { client, router } = useServices();
  const attempt = useAttempt();
  const [query, setQuery] = useState('');
  const entries = useEntries(query);
  const open = (entry: SwitcherEntry) => {
    onClose();
    if (entry.kind !== 'person') router.go(paths.conversation(entry.id));
    else void attempt(async () => router.go(paths.conversation(await client.conversations.direct(entry.id))));
  };
  return (
    <QuickSwitcherView snapshot={{ query, entries }} actions={{ search: setQuery, open, close: onClose }} />
  );
}

/** One's conversations, unread and recent first, then people one could write to. */
function useEntries(query: string): SwitcherEntry[] {
  const { client } = useServices();
  const strings = useStrings();
  const list = useReadable(client.conversations.list);
  const known = useReadable(client.people.known);
  const me = useReadable(client.account.me)?.id;
  const found = useFound(query);
  return useMemo(() => {
    const own = list.map((item): SwitcherEntry => ({
      id: item.id,
      kind: item.kind,
      name: conversationName(item, known, strings),
      detail: item.kind === 'direct' ? '' : item.topic,
      person: item.with,
      unread: item.unread,
    }));
    if (!query.trim()) {
      const unread = own.filter((entry) => entry.unread > 0);
      return [...unread, ...own.filter((entry) => entry.unread === 0)].slice(0, most);
    }
    const peers = new Set(list.map((item) => item.with));
    const people = [...new Map([...known.values(), ...found].map((user) => [user.id, user])).values()]
      .filter((user) => user.state === 'active' && user.id !== me && !peers.has(user.id))
      .map((user): SwitcherEntry => {
        const { name } = personOf(user.id, new Map([[user.id, user]]), strings);
        return { id: user.id, kind: 'person', name, detail: `@${user.name}`, person: user.id, unread: 0 };
      });
    return rankFuzzy(query, [...own, ...people], (entry) => `${entry.name} ${entry.detail}`).slice(0, most);
  }, [list, known, strings, query, found, me]);
}

function useFound(query: string): User[] {
  const { client } = useServices();
  const [found, setFound] = useState<User[]>([]);
  useEffect(() => {
    if (!query.trim()) return;
    let wanted = true;
    const timer = window.setTimeout(() => {
      client.people.search(query, { limit: most }).then(
        (page) => wanted && setFound(page.items),
        () => undefined,
      );
    }, 150);
    return () => {
      wanted = false;
      window.clearTimeout(timer);
    };
  }, [client, query]);
  return found;
}
