// Conversations: the list, who is in them, and how far they are read.
import type { ConversationsApi } from '../contract/client';
import type { Receipt } from '../contract/items';
import { conversationItem, conversationList, unreadTotals } from '../project/conversations';
import type { ConversationCommand } from '../protocol/commands';
import { decodeConversation } from '../protocol/decode';
import type { ConversationId, UserId } from '../protocol/ids';
import type { ConversationSettings } from '../protocol/objects';
import { ProblemError } from '../protocol/problem';
import type { ChannelListing, Member, NewConversation, Page } from '../protocol/rest';
import { pendingOf } from '../store/pending';
import { derived } from '../store/store';
import { byKey } from './by-key';
import type { Engine } from './engine';

const noReceipts: readonly Receipt[] = [];
const nobody: readonly UserId[] = [];

export function conversationsApi(engine: Engine): ConversationsApi {
  const { api, store, signals, cursors } = engine;
  const list = store.select(conversationList());
  const command = async (id: ConversationId, wanted: ConversationCommand): Promise<void> => {
    const body = { id: engine.uuid(), command: wanted };
    await api.call({ method: 'POST', path: `/conversations/${id}/commands`, body });
  };
  return {
    list,
    totals: derived(list, unreadTotals),
    get: byKey((id) =>
      store.select((state) => {
        const held = state.conversations.get(id);
        return held && conversationItem(held, pendingOf(state, id));
      }),
    ),
    open: (conversations) => signals.open(conversations),
    create: (request) => create(engine, { id: engine.uuid(), ...request }),
    direct: (user) => create(engine, { id: engine.uuid(), kind: 'direct', with: user }),
    join: async (id) => {
      await command(id, { kind: 'join' }).catch(ignoreAlreadyThere);
      took(engine, await api.get(`/conversations/${id}`));
    },
    leave: async (id) => {
      await command(id, { kind: 'leave' });
      store.dispatch({ type: 'left', conversation: id });
    },
    add: (id, user) => command(id, { kind: 'add', user }),
    remove: (id, user) => command(id, { kind: 'remove', user }),
    setRole: (id, user, role) => command(id, { kind: 'set_role', user, role }),
    change: (id, change) => command(id, { kind: 'change', ...change }),
    changeSettings: (id, change) => changeSettings(engine, id, change),
    channel: (id) => api.get<ChannelListing>(`/channels/${id}`),
    channels: (query, options) => api.get<Page<ChannelListing>>('/channels', { query, ...options }),
    members: async (id, query, options) => {
      const page = await api.get<Page<Member>>(`/conversations/${id}/members`, { query, ...options });
      store.dispatch({ type: 'members', conversation: id, members: page.items });
      return page;
    },
    markRead: (id, seq) => cursors.read(id, seq, false),
    markUnread: (id, seq) => cursors.read(id, seq - 1, true),
    receipts: byKey((id) => {
      const receipts = store.select((state) => state.conversations.get(id)?.receipts);
      return derived(receipts, (held) => (held ? [...held.values()] : noReceipts));
    }),
    typing: byKey((id) => {
      const typing = store.select((state) => state.conversations.get(id)?.typing);
      return derived(typing, (held) => (held && held.size > 0 ? [...held.keys()] : nobody));
    }),
    setTyping: (id, on) => signals.typing(id, on),
  };
}

async function create(engine: Engine, body: NewConversation): Promise<ConversationId> {
  return took(engine, await engine.api.call({ method: 'POST', path: '/conversations', body }));
}

/** The gateway tells it too, but the caller wants to go there now. */
function took(engine: Engine, json: Record<string, unknown>): ConversationId {
  const item = decodeConversation(json);
  const frame = { type: 'conversation', item } as const;
  engine.store.dispatch({ type: 'frame', frame, now: engine.platform.now() });
  if (item.with !== undefined) engine.people.want([item.with]);
  return item.id;
}

async function changeSettings(
  { api, store }: Engine,
  conversation: ConversationId,
  change: Partial<ConversationSettings>,
): Promise<void> {
  const before = store.get().conversations.get(conversation)?.settings;
  store.dispatch({ type: 'settings', conversation, settings: change });
  try {
    await api.call({ method: 'PATCH', path: `/me/conversations/${conversation}`, body: change });
  } catch (error) {
    if (before) store.dispatch({ type: 'settings', conversation, settings: before });
    throw error;
  }
}

function ignoreAlreadyThere(error: unknown): void {
  if (!(error instanceof ProblemError) || error.type !== 'already_member') throw error;
}
