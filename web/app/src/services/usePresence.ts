import type { Presence as State } from '@klatch/views';
import { useCallback, useEffect, useMemo } from 'react';
import { useEach } from '../support/useReadable';
import { useServices } from './services';

/** Who of these people is here. `place` says where on the page that is shown. */
export function usePresence(place: string, users: readonly string[]): ReadonlyMap<string, State> {
  const { client, watching } = useServices();
  useEffect(() => {
    watching.set(place, users);
    return () => watching.set(place, []);
  }, [watching, place, users]);
  const told = useEach(
    users,
    useCallback((user: string) => client.people.presence(user), [client]),
  );
  return useMemo(() => {
    const states = new Map<string, State>();
    for (const [user, presence] of told) states.set(user, presence?.state ?? 'offline');
    return states;
  }, [told]);
}
