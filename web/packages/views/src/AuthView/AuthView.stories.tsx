import { nothing } from '../testing/fixtures';
import { ResetView } from './ResetView';
import { SignInView, type SignInSnapshot } from './SignInView';
import { SignUpView, type SignUpSnapshot } from './SignUpView';

function signIn(change: Partial<SignInSnapshot>) {
  const snapshot: SignInSnapshot = {
    site: 'Kitchen Table',
    canSignUp: true,
    busy: false,
    problem: null,
    note: null,
    ...change,
  };
  return <SignInView snapshot={snapshot} actions={{ signIn: nothing }} />;
}

function signUp(kind: SignUpSnapshot['kind'], problem: string | null = null) {
  const snapshot: SignUpSnapshot = { site: 'Kitchen Table', kind, leastPassword: 8, busy: false, problem };
  return <SignUpView snapshot={snapshot} actions={{ signUp: nothing }} />;
}

export const SignIn = () => signIn({});
export const SignInFailed = () => signIn({ problem: 'This name and password do not belong together.' });
export const SignedOut = () => signIn({ note: 'Your session has ended. Sign in again.' });
export const SignUp = () => signUp('invited');
export const SignUpFailed = () => signUp('open', 'This name is taken already.');
export const Claim = () => signUp('claim');
export const NeedsInvite = () => signUp('needs-invite');
export const Closed = () => signUp('closed');

const reset = (state: 'ready' | 'done' | 'broken') => (
  <ResetView snapshot={{ state, leastPassword: 8, problem: null }} actions={{ reset: nothing }} />
);
export const Reset = () => reset('ready');
export const ResetDone = () => reset('done');
export const ResetBroken = () => reset('broken');
