// After `ready`: tells the server page by page what is held, so that it tells the rest.
import type { ClientFrame, ConversationsFrame } from '../protocol/frames';
import type { ConversationId, Seq } from '../protocol/ids';
import type { State } from '../store/state';

/** LIMIT: conversations in one `sync`, by the protocol. */
const haveMax = 200;

export function firstSync(state: State): ClientFrame {
  return { type: 'sync', have: have(state, new Set()) };
}

/** Null when the answer was the last page. */
export function nextSync(state: State, answer: ConversationsFrame): ClientFrame | null {
  if (answer.next === null) return null;
  return { type: 'sync', have: have(state, state.syncing ?? new Set()), after: answer.next };
}

/**
 * Pages come newest activity first, so what is held goes in that order too; what was answered already is left out.
 * A conversation that comes on another page than we thought is told without its events: a hole, filled by history.
 */
function have(state: State, answered: ReadonlySet<ConversationId>): Record<ConversationId, Seq> {
  const held = [...state.conversations.values()]
    .filter(({ id, timeline }) => timeline.paged && !answered.has(id))
    .sort((a, b) => b.head.at - a.head.at)
    .slice(0, haveMax);
  return Object.fromEntries(held.map(({ id, timeline }) => [id, timeline.live.to]));
}
