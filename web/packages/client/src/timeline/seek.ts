// Where an anchor lies in a conversation: told at once where that is in memory, and loaded where it is not.
import type { Anchor } from '../contract/states';
import type { History } from '../history/history';
import type { Seq } from '../protocol/ids';
import type { HistoryPage } from '../protocol/rest';
import type { ConversationState } from '../store/conversation';
import { type Range, rangeAt } from '../store/timeline/ranges';

/** Which range: the one that holds this seq, or the one that follows the stream. */
export type Place = Seq | 'latest';

export function rangeFor({ timeline }: ConversationState, place: Place): Range | undefined {
  if (place !== 'latest') return rangeAt(timeline.ranges, place);
  const last = timeline.ranges.at(-1);
  return last?.to === timeline.live.to && timeline.paged ? last : undefined;
}

/** Null where history must be asked. */
export function locate(anchor: Anchor, held: ConversationState): Place | null {
  const place = placeOf(anchor, held);
  return place !== null && rangeFor(held, place) ? place : null;
}

/** Loads what is around the anchor, into the store. */
export async function seek(anchor: Anchor, held: ConversationState, history: History): Promise<Place> {
  if (anchor.at === 'date') {
    const { events } = await history.load(held.id, { at: anchor.ms });
    return (events.find(({ at }) => at >= anchor.ms) ?? events.at(-1))?.seq ?? 'latest';
  }
  const place = anchor.at === 'message' ? await history.seqOf(held.id, anchor.id) : placeOf(anchor, held);
  if (place === null || place === 'latest') {
    await history.load(held.id, { newest: true });
    return 'latest';
  }
  if (rangeFor(held, place)) return place;
  return nearest(await history.load(held.id, { around: place }), place);
}

function placeOf(anchor: Anchor, held: ConversationState): Place | null {
  switch (anchor.at) {
    case 'latest':
      return 'latest';
    case 'unread':
      return held.head.worthy > held.read.worthy ? Math.max(1, held.read.seq) : 'latest';
    case 'seq':
      return anchor.seq;
    case 'message':
    case 'date':
      return null;
  }
}

/** One may ask for what lies before the first seq that one may read, or after the last. */
function nearest({ events }: HistoryPage, seq: Seq): Place {
  const first = events[0]?.seq;
  const last = events.at(-1)?.seq;
  if (first === undefined || last === undefined) return 'latest';
  return Math.min(Math.max(seq, first), last);
}
