// Cursors: how far oneself and others have read and received.
import type { CursorFrame } from '../protocol/frames';
import type { Seq, UserId } from '../protocol/ids';
import type { ReadCursor } from '../protocol/objects';
import type { Member } from '../protocol/rest';
import type { ConversationState } from './conversation';
import { entryAt } from './timeline/ranges';

/** The server tells how far somebody is. What one has moved here meanwhile wins by its version; of one version, the server's. */
export function cursorMoved(state: ConversationState, frame: CursorFrame, reader: UserId): ConversationState {
  if (frame.user === reader) {
    const isNews = frame.read !== undefined && frame.read.version >= state.read.version;
    return isNews && frame.read ? withRead(state, frame.read, reader) : state;
  }
  return withReceipt(state, frame.user, frame.read?.seq, frame.delivered);
}

export function membersRead(
  state: ConversationState,
  members: readonly Member[],
  reader: UserId,
): ConversationState {
  return members
    .filter((member) => member.user.id !== reader)
    .reduce((before, { user, read, delivered }) => withReceipt(before, user.id, read, delivered), state);
}

/** Moved by the reader here. Forward moves never go back; setting back is a decision of its own. */
export function moveRead(
  state: ConversationState,
  seq: Seq,
  back: boolean,
  reader: UserId,
): ConversationState {
  if (!back && seq <= state.read.seq) return state;
  const to = Math.min(seq, state.head.seq);
  return withRead(state, { seq: to, version: state.read.version + 1, worthy: worthyAt(state, to) }, reader);
}

export function withRead(state: ConversationState, read: ReadCursor, reader: UserId): ConversationState {
  return { ...state, read, mentions: mentionsAfter(state, read.seq, reader) };
}

/** The number of unread-worthy messages up to `seq`; an estimate where that event is not in memory. */
function worthyAt(state: ConversationState, seq: Seq): number {
  if (seq >= state.head.seq) return state.head.worthy;
  const known = entryAt(state.timeline.ranges, seq)?.event.worthy;
  return known ?? Math.max(0, state.read.worthy - Math.max(0, state.read.seq - seq));
}

/** Counted where everything after `seq` is in memory, else kept as the server said. */
export function mentionsAfter(state: ConversationState, seq: Seq, reader: UserId): number {
  if (seq >= state.head.seq) return 0;
  const range = state.timeline.ranges.find((held) => held.from <= seq + 1 && held.to >= state.head.seq);
  if (range === undefined) return state.mentions;
  return range.entries.filter(
    ({ event, view }) =>
      event.seq > seq && event.author !== reader && view?.deleted === null && view.mentions.includes(reader),
  ).length;
}

function withReceipt(state: ConversationState, user: UserId, read?: Seq, delivered?: Seq): ConversationState {
  const before = state.receipts.get(user) ?? { user, read: 0, delivered: 0 };
  const after = {
    user,
    read: read ?? before.read,
    delivered: Math.max(before.delivered, delivered ?? 0, read ?? 0),
  };
  if (after.read === before.read && after.delivered === before.delivered) return state;
  return { ...state, receipts: new Map(state.receipts).set(user, after) };
}
