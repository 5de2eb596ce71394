// Own commands in the state: what waits, what was refused, and what is durable but not seen in the log yet.
import type { ConversationId } from '../protocol/ids';
import { byPosition, type OutboxEntry } from '../outbox/entry';
import { type State, withEntry, without } from './state';

export function withPending(state: State, entry: OutboxEntry): State {
  const others = pendingOf(state, entry.conversation).filter((other) => other.id !== entry.id);
  return settled(
    withList(state, entry.conversation, [...others, entry].sort(byPosition)),
    entry.conversation,
    [],
  );
}

export function withoutPending(state: State, id: string): State {
  for (const [conversation, entries] of state.outbox) {
    if (entries.some((entry) => entry.id === id)) {
      return withList(
        state,
        conversation,
        entries.filter((entry) => entry.id !== id),
      );
    }
  }
  return state;
}

/** Takes out what is in the log by now: named by its id, or durable at a seq that was passed. */
export function settled(
  state: State,
  conversation: ConversationId,
  events: readonly { id: string }[],
): State {
  const entries = pendingOf(state, conversation);
  if (entries.length === 0) return state;
  const seen = new Set(events.map((event) => event.id));
  const reached = state.conversations.get(conversation)?.timeline.live.to ?? Infinity;
  const rest = entries.filter(
    ({ id, outcome }) => !seen.has(id) && !(outcome.state === 'committed' && outcome.seq <= reached),
  );
  return rest.length === entries.length ? state : withList(state, conversation, rest);
}

const nothing: readonly OutboxEntry[] = [];

export function pendingOf(state: State, conversation: ConversationId): readonly OutboxEntry[] {
  return state.outbox.get(conversation) ?? nothing;
}

function withList(state: State, conversation: ConversationId, entries: readonly OutboxEntry[]): State {
  const outbox =
    entries.length > 0 ? withEntry(state.outbox, conversation, entries) : without(state.outbox, conversation);
  return { ...state, outbox };
}
