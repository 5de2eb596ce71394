// The site: what everybody may know of it, and what its owner may do.
import type { SiteApi } from '../contract/client';
import type { User } from '../protocol/objects';
import type { Invite, Page, PasswordReset, SiteInfo } from '../protocol/rest';
import type { Engine } from './engine';

export function siteApi({ api, store }: Engine): SiteApi {
  return {
    info: () => api.call<SiteInfo>({ method: 'GET', path: '/site', auth: 'none' }),
    change: (change) => api.call<SiteInfo>({ method: 'PATCH', path: '/site', body: change }),
    invites: async () => (await api.get<Page<Invite>>('/invites')).items,
    createInvite: (request) => api.call<Invite>({ method: 'POST', path: '/invites', body: request }),
    revokeInvite: async (id) => {
      await api.call({ method: 'DELETE', path: `/invites/${id}` });
    },
    createPasswordReset: (user) =>
      api.call<PasswordReset>({ method: 'POST', path: `/users/${user}/password-reset` }),
    setRole: async (user, role) => {
      const changed = await api.call<User>({ method: 'PATCH', path: `/users/${user}`, body: { role } });
      store.dispatch({ type: 'users', users: [changed] });
    },
  };
}
