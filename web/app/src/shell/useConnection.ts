import type { ConnectionState } from '@klatch/client';
import type { ConnectionSnapshot } from '@klatch/views';
import { useEffect, useState } from 'react';
import { useServices } from '../services/services';
import { useNow } from '../services/useNow';
import { useReadable } from '../support/useReadable';

const calmMs = 2000;

/** What to say of the connection: nothing for interruptions shorter than two seconds. */
export function useConnection(): ConnectionSnapshot {
  const { client } = useServices();
  const state = useReadable(client.connection);
  const bad = state.state === 'connecting' || state.state === 'offline';
  const [said, setSaid] = useState(false);
  const now = useNow(bad ? 1000 : 30_000);
  useEffect(() => {
    const timer = window.setTimeout(() => setSaid(bad), bad ? calmMs : 0);
    return () => window.clearTimeout(timer);
  }, [bad]);
  return bad && !said ? { state: 'fine' } : connectionSnapshot(state, now);
}

export function connectionSnapshot(state: ConnectionState, now: number): ConnectionSnapshot {
  switch (state.state) {
    case 'connecting':
      return { state: 'connecting' };
    case 'offline': {
      const next = state.nextTryAt;
      const nextTryIn = next === null ? null : Math.max(0, Math.ceil((next - now) / 1000));
      return { state: 'offline', since: state.since, nextTryIn };
    }
    case 'refused':
      return { state: 'refused', outdated: state.reason === 'version_unsupported' };
    default:
      return { state: 'fine' };
  }
}
