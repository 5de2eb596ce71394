import type { User } from '@klatch/client';
import { useStrings, type PeoplePickerProps, type PersonSnapshot } from '@klatch/views';
import { useEffect, useState } from 'react';
import { useServices } from '../services/services';
import { personOf } from './names';

const restMs = 150;

/** People found by name, without oneself and those who are out of the question. */
export function usePeopleSearch(without: ReadonlySet<string>): Omit<PeoplePickerProps, 'label'> {
  const { client } = useServices();
  const strings = useStrings();
  const [query, setQuery] = useState('');
  const [found, setFound] = useState<{ query: string; users: User[] } | null>(null);
  const [chosen, setChosen] = useState<PersonSnapshot[]>([]);
  useEffect(() => {
    let wanted = true;
    const timer = window.setTimeout(
      () => {
        client.people.search(query, { limit: 30 }).then(
          (page) => wanted && setFound({ query, users: page.items }),
          () => wanted && setFound({ query, users: [] }),
        );
      },
      query ? restMs : 0,
    );
    return () => {
      wanted = false;
      window.clearTimeout(timer);
    };
  }, [client, query]);
  const taken = new Set(chosen.map(({ id }) => id));
  const people = (found?.users ?? [])
    .filter((user) => user.state === 'active' && !without.has(user.id) && !taken.has(user.id))
    .map((user) => personOf(user.id, new Map([[user.id, user]]), strings));
  return {
    query,
    found: people,
    chosen,
    loading: found?.query !== query,
    onSearch: setQuery,
    onChoose: (person) => {
      setQuery('');
      setChosen((last) => [...last, person]);
    },
    onUnchoose: (id) => setChosen((last) => last.filter((person) => person.id !== id)),
  };
}
