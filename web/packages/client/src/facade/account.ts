// One's own account: profile, password, closing it, and whom one has blocked.
import type { AccountApi } from '../contract/client';
import type { UserId } from '../protocol/ids';
import type { User } from '../protocol/objects';
import type { Engine } from './engine';

export function accountApi(engine: Engine): AccountApi {
  const { api, store } = engine;
  const setBlock = async (method: 'PUT' | 'DELETE', user: UserId): Promise<void> => {
    await api.call({ method, path: `/me/blocks/${user}` });
    await engine.loadBlocks();
  };
  return {
    me: store.select((state) => state.me ?? undefined),
    changeProfile: async (change) => {
      const user = await api.call<User>({ method: 'PATCH', path: '/me', body: change });
      store.dispatch({ type: 'users', users: [user] });
    },
    changePassword: async (current, next) => {
      await api.call({ method: 'PUT', path: '/me/password', body: { current, new: next } });
    },
    close: async (password) => {
      await api.call({ method: 'POST', path: '/me/closure', body: { password } });
      await engine.forget('account-closed');
    },
    blocks: store.select((state) => state.blocks),
    block: (user) => setBlock('PUT', user),
    unblock: (user) => setBlock('DELETE', user),
  };
}
