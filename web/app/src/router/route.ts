export type Side = { panel: 'details' | 'members' | 'pins' } | { panel: 'person'; user: string };

export const settingsPages = [
  'profile',
  'appearance',
  'notifications',
  'sessions',
  'password',
  'blocked',
  'account',
  'site',
  'people',
  'invites',
] as const;
export type SettingsPage = (typeof settingsPages)[number];

export type Route =
  | { page: 'home'; side: Side | null }
  | { page: 'conversation'; conversation: string; message: string | null; side: Side | null }
  | { page: 'settings'; settings: SettingsPage | null }
  | { page: 'signin' }
  | { page: 'signup'; invite: string | null }
  | { page: 'claim'; token: string | null }
  | { page: 'reset'; token: string | null }
  | { page: 'unknown' };

/** Reads an address. Secrets are only ever in the fragment, which no server sees (old invite links excepted). */
export function parseRoute(address: string): Route {
  const url = new URL(address, 'http://local');
  const [first, ...rest] = url.pathname.split('/').filter(Boolean).map(decode);
  switch (first) {
    case undefined:
      return { page: 'home', side: parseSide(url) };
    case 'c':
      return parseConversation(rest, url);
    case 'settings':
      return { page: 'settings', settings: settingsPages.find((page) => page === rest[0]) ?? null };
    case 'signin':
      return { page: 'signin' };
    case 'signup':
      return { page: 'signup', invite: secret(url, 'invite') };
    case 'claim':
      return { page: 'claim', token: secret(url, 'token') };
    case 'reset':
      return { page: 'reset', token: secret(url, 'token') };
    default:
      return { page: 'unknown' };
  }
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function parseConversation([conversation, m, message]: string[], url: URL): Route {
  if (!conversation) return { page: 'unknown' };
  return {
    page: 'conversation',
    conversation,
    message: m === 'm' ? (message ?? null) : null,
    side: parseSide(url),
  };
}

function parseSide(url: URL): Side | null {
  const side = url.searchParams.get('side');
  if (side === 'details' || side === 'members' || side === 'pins') return { panel: side };
  const user = side?.startsWith('person.') ? side.slice('person.'.length) : '';
  return user ? { panel: 'person', user } : null;
}

/** `#token=…`, or the bare fragment, or (invitations only) `?invite=…`. */
function secret(url: URL, name: 'token' | 'invite'): string | null {
  const fragment = url.hash.slice(1);
  const named = new URLSearchParams(fragment).get(name);
  if (named) return named;
  if (fragment && !fragment.includes('=')) return fragment;
  return name === 'invite' ? url.searchParams.get(name) : null;
}

function query(side: Side | null): string {
  if (!side) return '';
  return side.panel === 'person' ? `?side=person.${side.user}` : `?side=${side.panel}`;
}

export const paths = {
  home: (side: Side | null = null) => `/${query(side)}`,
  conversation: (id: string, side: Side | null = null) => `/c/${id}${query(side)}`,
  message: (conversation: string, message: string) => `/c/${conversation}/m/${message}`,
  settings: (page?: SettingsPage) => (page ? `/settings/${page}` : '/settings'),
  signIn: '/signin',
};
