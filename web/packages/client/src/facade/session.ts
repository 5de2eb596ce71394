// Sign in, up and out, and one's devices.
import type { SessionApi } from '../contract/client';
import type { Device } from '../protocol/objects';
import { ProblemError } from '../protocol/problem';
import type { Page } from '../protocol/rest';
import type { Engine } from './engine';

export function sessionApi(engine: Engine): SessionApi {
  const { api, session } = engine;
  const signOut = async (): Promise<void> => {
    await api.call({ method: 'DELETE', path: '/sessions/current' }).catch((error: unknown) => {
      // The session had ended already: there is nothing left to end.
      if (!(error instanceof ProblemError) || error.problem.status !== 401) throw error;
    });
    await engine.forget('signed-out');
  };
  return {
    state: session.state,
    signUp: (request) => session.signUp(request),
    signIn: (request) => session.signIn(request),
    signOut,
    list: async () => (await api.get<Page<Device>>('/sessions')).items,
    revoke: async (id) => {
      const state = session.state.get();
      if (state.state === 'signed-in' && state.session === id) await signOut();
      else await api.call({ method: 'DELETE', path: `/sessions/${id}` });
    },
    resetPassword: async (token, password) => {
      await api.call({ method: 'POST', path: '/password-resets', body: { token, password }, auth: 'none' });
    },
  };
}
