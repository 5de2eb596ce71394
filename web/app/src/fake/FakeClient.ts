import {
  ProblemError,
  type ConnectionState,
  type Draft,
  type Invite,
  type KlatchClient,
  type SessionState,
  type User,
} from '@klatch/client';
import { storeOf, type Store } from '../support/store';
import { fakeConversations } from './conversations';
import { fakeMessages } from './messages';
import { me, people, presenceOf } from './people';
import { loadTexts } from './texts';
import { World } from './World';

/** A write that works after a moment. */
const soon =
  <A extends unknown[]>(work: (...given: A) => void) =>
  async (...given: A): Promise<void> => {
    await pause();
    work(...given);
  };

const pause = () => new Promise<void>((resolve) => setTimeout(resolve, 250));

/** The client on fixtures: `?state=empty`, `offline`, `signed-out`, `claim` or `still` in the address choose what it shows. */
export async function createFakeClient(): Promise<KlatchClient> {
  const asked =
    new URLSearchParams(location.search).get('state') ?? sessionStorage.getItem('fake.state') ?? '';
  sessionStorage.setItem('fake.state', asked);
  const texts = await loadTexts();
  const now = Date.now();
  const world = new World(texts, now, asked === 'empty');
  if (asked === 'claim') world.site = { ...world.site, needs_owner: true };
  const inside: SessionState = { state: 'signed-in', user: me, session: 'here' };
  const session = storeOf<SessionState>(
    asked === 'signed-out' ? { state: 'signed-out', reason: 'none' } : inside,
  );
  const connection = storeOf<ConnectionState>(
    asked === 'offline'
      ? { state: 'offline', since: now - 200_000, nextTryAt: now + 24_000 }
      : { state: 'online', synced: true },
  );
  const my = storeOf<User | undefined>(me);
  const signIn = async ({ password }: { password: string }) => {
    await pause();
    if (password === 'wrong') throw new ProblemError({ type: 'wrong_password', title: 'Wrong' });
    session.set(inside);
  };
  return {
    start: () => undefined,
    stop: () => Promise.resolve(),
    connection,
    tryNow: () => connection.set({ state: 'online', synced: true }),
    limits: storeOf({}),
    session: {
      state: session,
      signIn,
      signUp: signIn,
      signOut: soon(() => session.set({ state: 'signed-out', reason: 'signed-out' })),
      list: () => Promise.resolve(devices(now)),
      revoke: pause,
      resetPassword: pause,
    },
    account: account(world, my, session),
    site: site(world, now),
    people: {
      get: (id) => storeOf(people.find((person) => person.id === id)),
      known: world.known,
      search: async (query) => {
        await pause();
        return { items: people.filter((person) => matches(person, query)), next: null };
      },
      presence: (id) => storeOf(presenceOf(id, now)),
      watch: () => undefined,
      setPresence: () => undefined,
    },
    conversations: fakeConversations(world, texts),
    messages: fakeMessages(world, texts, asked !== 'still' && asked !== 'offline'),
    drafts: drafts(),
  };
}

export function matches(person: User, query: string): boolean {
  return `${person.name} ${person.display_name}`.toLowerCase().includes(query.toLowerCase());
}

function account(
  world: World,
  my: Store<User | undefined>,
  session: Store<SessionState>,
): KlatchClient['account'] {
  const { blocks } = world;
  return {
    me: my,
    changeProfile: async (change) => {
      await pause();
      my.update((last) => last && { ...last, ...change });
    },
    changePassword: pause,
    close: soon(() => session.set({ state: 'signed-out', reason: 'account-closed' })),
    blocks,
    block: soon((user: string) => blocks.update((last) => new Set([...last, user]))),
    unblock: soon((user: string) => blocks.update((last) => new Set([...last].filter((id) => id !== user)))),
  };
}

function site(world: World, now: number): KlatchClient['site'] {
  const open: Invite[] = [
    { id: 'i1', uses_left: 4, expires_at: now + 5 * 86_400_000 },
    { id: 'i2', uses_left: null, expires_at: null },
  ];
  return {
    info: () => Promise.resolve(world.site),
    change: async (change) => {
      await pause();
      return (world.site = { ...world.site, ...change });
    },
    invites: () => Promise.resolve([...open]),
    createInvite: async ({ uses }) => {
      await pause();
      const link = `${location.origin}/signup#invite=Wm9vLWZha2UtdG9rZW4`;
      const made = {
        id: `i${String(open.length + 1)}`,
        link,
        uses_left: uses ?? null,
        expires_at: now + 86_400_000,
      };
      open.unshift(made);
      return made;
    },
    revokeInvite: (id) => {
      open.splice(
        open.findIndex((invite) => invite.id === id),
        1,
      );
      return Promise.resolve();
    },
    setRole: () => Promise.resolve(),
    createPasswordReset: () =>
      Promise.resolve({ link: `${location.origin}/reset#token=abc`, expires_at: now + 3_600_000 }),
  };
}

function devices(now: number) {
  const device = (id: string, name: string, ago: number) => ({
    id,
    device: name,
    created_at: now - ago * 5,
    last_used_at: now - ago,
    current: id === 'here',
  });
  return [
    device('here', 'Firefox · Linux', 20_000),
    device('phone', 'Safari · iPhone', 7_200_000),
    device('old', 'Chrome · Windows', 900_000_000),
  ];
}

function drafts(): KlatchClient['drafts'] {
  const kept = new Map<string, Store<Draft | undefined>>();
  const all = storeOf<ReadonlySet<string>>(new Set(['leila']));
  const of = (id: string) => {
    const had =
      kept.get(id) ??
      storeOf<Draft | undefined>(id === 'leila' ? { text: 'About the invoice: ' } : undefined);
    kept.set(id, had);
    return had;
  };
  return {
    get: of,
    set: (id, draft) => {
      of(id).set(draft);
      const next = new Set(all.get());
      if (draft.text || draft.reply) next.add(id);
      else next.delete(id);
      all.set(next);
    },
    all,
  };
}
