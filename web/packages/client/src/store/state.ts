// The whole state of the client, as one immutable value.
import type { ConversationId, UserId } from '../protocol/ids';
import type { Limits, Presence, User } from '../protocol/objects';
import type { OutboxEntry } from '../outbox/entry';
import type { ConversationState } from './conversation';

export interface State {
  /** Null while signed out: then all else is empty. */
  readonly me: User | null;
  readonly limits: Limits;
  readonly users: ReadonlyMap<UserId, User>;
  readonly presence: ReadonlyMap<UserId, Presence>;
  readonly blocks: ReadonlySet<UserId>;
  readonly conversations: ReadonlyMap<ConversationId, ConversationState>;
  /** What `sync` has named so far; null when none is under way. */
  readonly syncing: ReadonlySet<ConversationId> | null;
  /** Own commands in the order of sending, by conversation. */
  readonly outbox: ReadonlyMap<ConversationId, readonly OutboxEntry[]>;
}

export const initialState: State = {
  me: null,
  limits: {},
  users: new Map(),
  presence: new Map(),
  blocks: new Set(),
  conversations: new Map(),
  syncing: null,
  outbox: new Map(),
};

export function withEntry<K, V>(map: ReadonlyMap<K, V>, key: K, value: V): ReadonlyMap<K, V> {
  return map.get(key) === value ? map : new Map(map).set(key, value);
}

export function without<K, V>(map: ReadonlyMap<K, V>, key: K): ReadonlyMap<K, V> {
  if (!map.has(key)) return map;
  const rest = new Map(map);
  rest.delete(key);
  return rest;
}

/** Changes one conversation, if it is known; undefined takes it out. */
export function update(
  state: State,
  id: ConversationId,
  change: (held: ConversationState) => ConversationState | undefined,
): State {
  const held = state.conversations.get(id);
  if (held === undefined) return state;
  const after = change(held);
  if (after === held) return state;
  const conversations = after ? withEntry(state.conversations, id, after) : without(state.conversations, id);
  return { ...state, conversations };
}
