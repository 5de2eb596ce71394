// What each frame of the gateway does to the state.
import type { ConversationsFrame, ServerFrame } from '../protocol/frames';
import type { Millis, UserId } from '../protocol/ids';
import type { Conversation, Presence, User } from '../protocol/objects';
import { fromItem } from './conversation';
import { cursorMoved } from './cursors';
import { eventsCame, headCame } from './follow';
import { settled } from './pending';
import { type State, update, withEntry, without } from './state';

/** How long a sign of typing holds without another. */
const typingMs = 6_000;

export function frameCame(state: State, frame: ServerFrame, now: Millis, reader: UserId): State {
  switch (frame.type) {
    case 'ready':
      return { ...withUsers(state, [frame.user]), me: frame.user, limits: frame.limits };
    case 'conversations':
      return synced(state, frame, reader);
    case 'conversation':
      return withItem(state, frame.item, reader);
    case 'events': {
      const after = update(state, frame.conversation, (held) => eventsCame(held, frame.events, reader));
      return after.conversations.has(frame.conversation)
        ? settled(after, frame.conversation, frame.events)
        : after;
    }
    case 'head':
      return frame.heads.reduce(
        (before, { conversation, ...head }) => update(before, conversation, (held) => headCame(held, head)),
        state,
      );
    case 'cursor':
      return update(state, frame.conversation, (held) => cursorMoved(held, frame, reader));
    case 'typing':
      return frame.user === reader ? state : typingCame(state, frame, now);
    case 'presence':
      return { ...state, presence: withPresence(state.presence, frame.users) };
    case 'user':
      return withUsers(state, [frame.user]);
    case 'account':
      return frame.blocks ? { ...state, blocks: new Set(frame.blocks) } : state;
    // Answers to single frames: the outbox and the socket listen to these.
    case 'accepted':
    case 'committed':
    case 'rejected':
    case 'error':
    case 'pong':
      return state;
  }
}

export function withUsers(state: State, users: readonly User[]): State {
  if (users.length === 0) return state;
  const known = new Map(state.users);
  for (const user of users) known.set(user.id, user);
  const me = state.me && (known.get(state.me.id) ?? state.me);
  return { ...state, users: known, me };
}

function withItem(state: State, item: Conversation, reader: UserId): State {
  const conversation = fromItem(item, state.conversations.get(item.id), reader);
  const conversations = withEntry(state.conversations, item.id, conversation);
  const syncing = state.syncing && new Set(state.syncing).add(item.id);
  return settled({ ...state, conversations, syncing }, item.id, item.events ?? []);
}

function synced(state: State, frame: ConversationsFrame, reader: UserId): State {
  let after = state;
  for (const item of frame.items) after = withItem(after, item, reader);
  for (const id of frame.gone) after = { ...after, conversations: without(after.conversations, id) };
  const { syncing } = after;
  if (frame.next !== null || syncing === null) return after;
  const conversations = new Map([...after.conversations].filter(([id]) => syncing.has(id)));
  return { ...after, conversations, syncing: null };
}

function typingCame(state: State, frame: Extract<ServerFrame, { type: 'typing' }>, now: Millis): State {
  return update(state, frame.conversation, (held) => ({
    ...held,
    typing: frame.on ? withEntry(held.typing, frame.user, now + typingMs) : without(held.typing, frame.user),
  }));
}

function withPresence(
  presence: ReadonlyMap<UserId, Presence>,
  users: readonly Presence[],
): ReadonlyMap<UserId, Presence> {
  return users.reduce((before, user) => withEntry(before, user.user, user), presence);
}
