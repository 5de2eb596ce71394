import type { SessionState } from '@klatch/client';
import {
  ResetView,
  SignInView,
  SignUpView,
  useStrings,
  type SignUpSnapshot,
  type Strings,
} from '@klatch/views';
import { useState } from 'react';
import { useServices } from '../services/services';
import { errorText } from '../support/problems';
import { useSite } from './useSite';

/** As the server wants it. */
export const leastPassword = 8;

/** Runs one attempt at a time; keeps why the last one failed. */
function useTry() {
  const strings = useStrings();
  const [state, setState] = useState<{ busy: boolean; problem: string | null }>({
    busy: false,
    problem: null,
  });
  const attempt = async (work: () => Promise<void>): Promise<boolean> => {
    setState({ busy: true, problem: null });
    try {
      await work();
      setState({ busy: false, problem: null });
      return true;
    } catch (error) {
      setState({ busy: false, problem: errorText(error, strings) });
      return false;
    }
  };
  return { ...state, attempt };
}

function reasonNote(session: SessionState, strings: Strings): string | null {
  if (session.state !== 'signed-out') return null;
  const notes = strings.auth.signedOut;
  const said = { none: null, 'signed-out': notes.out, ended: notes.ended, 'account-closed': notes.closed };
  return said[session.reason];
}

export function SignInPage({ session }: { session: SessionState }) {
  const { client } = useServices();
  const strings = useStrings();
  const { site, failed } = useSite();
  const { busy, problem, attempt } = useTry();
  return (
    <SignInView
      snapshot={{
        site: site?.name ?? strings.common.appName,
        canSignUp: site?.registration === 'open',
        busy,
        problem: problem ?? (failed ? strings.auth.siteFailed : null),
        note: reasonNote(session, strings),
      }}
      actions={{
        signIn: (name, password) =>
          void attempt(() => client.session.signIn({ name, password, device: deviceName() })),
      }}
    />
  );
}

interface SignUpPageProps {
  token: string | null;
  claim: boolean;
}

export function SignUpPage({ token, claim }: SignUpPageProps) {
  const { client } = useServices();
  const strings = useStrings();
  const { site } = useSite();
  const { busy, problem, attempt } = useTry();
  const kind = claim ? 'claim' : kindOf(site?.registration, token);
  return (
    <SignUpView
      snapshot={{ site: site?.name ?? strings.common.appName, kind, leastPassword, busy, problem }}
      actions={{
        signUp: ({ name, displayName, password }) =>
          void attempt(() =>
            client.session.signUp({
              name,
              password,
              device: deviceName(),
              ...(displayName && { display_name: displayName }),
              ...(token && { invite: token }),
            }),
          ),
      }}
    />
  );
}

function kindOf(
  registration: 'invite' | 'open' | 'closed' | undefined,
  token: string | null,
): SignUpSnapshot['kind'] {
  if (token) return 'invited';
  if (registration === 'closed') return 'closed';
  return registration === 'invite' ? 'needs-invite' : 'open';
}

export function ResetPage({ token }: { token: string | null }) {
  const { client } = useServices();
  const { busy, problem, attempt } = useTry();
  const [done, setDone] = useState(false);
  const state = done ? 'done' : token ? (busy ? 'busy' : 'ready') : 'broken';
  return (
    <ResetView
      snapshot={{ state, leastPassword, problem }}
      actions={{
        reset: (password) => {
          if (token) void attempt(() => client.session.resetPassword(token, password)).then(setDone);
        },
      }}
    />
  );
}

/** What this browser is called in the list of devices. */
function deviceName(): string {
  const agent = navigator.userAgent;
  const browser = /(Firefox|Edg|OPR|Chrome|Safari)\//u.exec(agent)?.[1] ?? 'Browser';
  const system = /(Windows|Android|iPhone|iPad|Mac OS X|Linux)/u.exec(agent)?.[1] ?? '';
  const names: Record<string, string> = { Edg: 'Edge', OPR: 'Opera', 'Mac OS X': 'macOS' };
  return [names[browser] ?? browser, names[system] ?? system].filter(Boolean).join(' · ');
}
