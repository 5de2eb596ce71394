// People: who they are and whether they are here.
import type { PeopleApi } from '../contract/client';
import type { UserId } from '../protocol/ids';
import type { Presence, User } from '../protocol/objects';
import type { Page } from '../protocol/rest';
import type { Readable } from '../readable';
import { byKey } from './by-key';
import type { Engine } from './engine';

export function peopleApi({ api, store, people, signals }: Engine): PeopleApi {
  const user = (id: UserId): Readable<User | undefined> => {
    const known = store.select((state) => state.users.get(id));
    const subscribe = (listener: () => void): (() => void) => {
      people.want([id]);
      return known.subscribe(listener);
    };
    return { get: known.get, subscribe };
  };
  return {
    get: byKey(user),
    known: store.select((state) => state.users),
    search: async (query, options) => {
      const page = await api.get<Page<User>>('/users', { query, ...options });
      store.dispatch({ type: 'users', users: page.items });
      return page;
    },
    presence: byKey((id): Readable<Presence | undefined> => store.select((state) => state.presence.get(id))),
    watch: (users) => signals.watch(users),
    setPresence: (state) => signals.presence(state),
  };
}
