import type { Presence, User } from '@klatch/client';

const names: [name: string, display: string, about: string][] = [
  ['mira', 'Mira Okafor', 'Keeps the lights on. Ask me about backups, or bread.'],
  ['jonas', 'Jonas Lindqvist', 'Front end, back pain.'],
  ['aiko', 'Aiko Tanaka', 'Design and research'],
  ['tomasz', 'Tomasz Zieliński', ''],
  ['leila', 'Leila Haddad', 'Support lead · Beirut'],
  ['sam', 'Sam Carter', 'On call more often than not'],
  ['priya', 'Priya Raman', 'Databases'],
  ['crimsun', 'crimsun', ''],
  ['kleedrac', 'kleedrac', ''],
  ['noor', 'Noor de Vries', 'New here, be kind'],
  ['emeka', 'Emeka Nwosu', 'Networks'],
  ['ingrid', 'Ingrid Solheim', ''],
];

export const userId = (index: number) => `01900000-0000-7000-8000-${String(index).padStart(12, '0')}`;

export const people: User[] = names.map(([name, display_name, about], index) => ({
  id: userId(index),
  name,
  display_name,
  about,
  role: index === 0 ? 'owner' : 'member',
  state: 'active',
}));

export const me = people[0] as User;

export function presenceOf(user: string, now: number): Presence {
  const index = people.findIndex(({ id }) => id === user);
  const state = index % 3 === 0 ? 'online' : index % 3 === 1 ? 'away' : 'offline';
  return { user, state, since: now - index * 600_000 };
}
