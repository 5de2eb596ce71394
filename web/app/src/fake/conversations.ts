import type { ConversationItem, KlatchClient, Member } from '@klatch/client';
import { storeOf, type Store } from '../support/store';
import { matches } from './FakeClient';
import { me, people } from './people';
import type { World } from './World';

const pause = () => new Promise<void>((resolve) => setTimeout(resolve, 200));

export function fakeConversations(world: World, texts: string[]): KlatchClient['conversations'] {
  const keyed = <T>(map: Map<string, Store<T>>, id: string, first: T): Store<T> => {
    const had = map.get(id) ?? storeOf(first);
    map.set(id, had);
    return had;
  };
  let totals = world.totals();
  world.list.subscribe(() => (totals = world.totals()));
  return {
    list: world.list,
    totals: { get: () => totals, subscribe: world.list.subscribe },
    get: (id) => ({ get: () => world.get(id), subscribe: world.list.subscribe }),
    open: () => undefined,
    ...writes(world, texts),
    channel: async (id) => {
      await pause();
      const found = listings.find((item) => item.id === id);
      if (!found) throw new Error('There is no such channel.');
      return { ...found, joined: world.get(id) !== undefined };
    },
    channels: async (query) => {
      await pause();
      const items = listings.filter(({ name }) => name.includes(query.toLowerCase()));
      return {
        items: items.map((item) => ({ ...item, joined: world.get(item.id) !== undefined })),
        next: null,
      };
    },
    members: async (id, query = '') => {
      await pause();
      const few = world.get(id)?.kind === 'direct' ? people.slice(0, 2) : people;
      return { items: few.filter((person) => matches(person, query)).map(member), next: null };
    },
    markRead: (id, seq) => {
      const item = world.get(id);
      if (!item || seq <= item.read.seq) return;
      const unread = Math.max(0, item.head.seq - seq);
      world.change(id, { read: { ...item.read, seq }, unread, mentions: unread === 0 ? 0 : item.mentions });
    },
    markUnread: (id, seq) => {
      const item = world.get(id);
      if (item) world.change(id, { read: { ...item.read, seq: seq - 1 }, unread: item.head.seq - seq + 1 });
    },
    receipts: (id) => keyed(world.receipts, id, firstReceipts(world.get(id))),
    typing: (id) => keyed(world.typing, id, []),
    setTyping: () => undefined,
  };
}

type Writes = Pick<
  KlatchClient['conversations'],
  'create' | 'direct' | 'join' | 'leave' | 'add' | 'remove' | 'setRole' | 'change' | 'changeSettings'
>;

function writes(world: World, texts: string[]): Writes {
  const fresh = (id: string, change: Partial<ConversationItem>) => {
    const [like] = world.list.get();
    const read = { seq: 0, version: 1, worthy: 0 };
    const head = { seq: 0, worthy: 0, at: Date.now() };
    const base: ConversationItem = {
      id,
      kind: 'group',
      name: '',
      topic: '',
      history: 'all',
      role: 'owner',
      joinedSeq: 1,
      members: 1,
      with: null,
      head,
      read,
      unread: 0,
      mentions: 0,
      settings: { notify: 'all', favourite: false },
      last: null,
      waiting: 0,
      failed: 0,
    };
    world.add({ ...(like ?? base), ...base, ...change }, texts);
    return id;
  };
  return {
    create: async ({ kind, name, topic = '', members = [] }) => {
      await pause();
      return fresh(`new-${String(world.logs.size)}`, { kind, name, topic, members: members.length + 1 });
    },
    direct: async (user) => {
      await pause();
      const had = world.list.get().find((item) => item.with === user);
      return had?.id ?? fresh(`direct-${user}`, { kind: 'direct', with: user, members: 2 });
    },
    join: async (id) => {
      await pause();
      const listing = listings.find((channel) => channel.id === id);
      fresh(id, {
        kind: 'channel',
        role: 'member',
        ...(listing && { name: listing.name, topic: listing.topic }),
      });
    },
    leave: async (id) => {
      await pause();
      world.list.update((all) => all.filter((item) => item.id !== id));
    },
    add: pause,
    remove: pause,
    setRole: pause,
    change: async (id, change) => {
      await pause();
      world.change(id, change);
    },
    changeSettings: (id, change) => {
      const item = world.get(id);
      if (item) world.change(id, { settings: { ...item.settings, ...change } });
      return Promise.resolve();
    },
  };
}

const listings = [
  { id: 'general', name: 'general', topic: 'What everybody should know', members: 86 },
  { id: 'garden', name: 'garden', topic: 'Tomatoes, mostly', members: 17 },
  { id: 'music', name: 'music', topic: '', members: 44 },
  { id: 'random', name: 'random', topic: '', members: 71 },
  { id: 'rust', name: 'rust', topic: 'Borrowing, owning, sharing', members: 29 },
  {
    id: 'ubuntu',
    name: 'ubuntu',
    topic: 'Support for Ubuntu since 2004 · be patient, be kind',
    members: 1284,
  },
];

function member(user: Member['user'], index: number): Member {
  const role = index === 0 ? 'owner' : index < 3 ? 'moderator' : 'member';
  return { user, role, joined_seq: 1, read: 0, delivered: 0 };
}

function firstReceipts(item: ConversationItem | undefined) {
  const others = people.filter(({ id }) => id !== me.id).slice(0, Math.min(3, (item?.members ?? 1) - 1));
  return others.map(({ id }) => ({
    user: item?.with ?? id,
    read: item?.head.seq ?? 0,
    delivered: item?.head.seq ?? 0,
  }));
}
