// What is held of one conversation's log: ranges, and how far the live stream has been followed.
//
// INVARIANT: every event from `live.from` to `live.to` has been seen. So an overlay that was read at or after
// `live.from - 1` misses nothing: what changed since came by live. A page read earlier is refused as stale.
import type { ChangeEvent, KlatchEvent } from '../../protocol/events';
import type { Seq, UserId } from '../../protocol/ids';
import type { HistoryPage } from '../../protocol/rest';
import { changesOf, combine, type Entry, entryOf, withChange } from './entry';
import { insert, type Range, rangeOf, replace } from './ranges';

export interface Timeline {
  readonly ranges: readonly Range[];
  readonly live: { readonly from: Seq; readonly to: Seq };
  /** The first seq one may read, once known. */
  readonly first: Seq | null;
  /** Whether a page was loaded: somebody looked at it, and what is held is worth keeping whole. */
  readonly paged: boolean;
  readonly reader: UserId;
}

/** LIMIT: events kept of a conversation that nobody looks at. */
export const idleEventsMax = 300;

/** Nothing held, with the stream followed from after `head`. */
export function emptyTimeline(head: Seq, reader: UserId): Timeline {
  return { ranges: [], live: { from: head + 1, to: head }, first: null, paged: false, reader };
}

/** Events of the live stream or of `sync`; null at a hole, where they are dropped and must be asked for. */
export function follow(timeline: Timeline, events: readonly KlatchEvent[]): Timeline | null {
  const fresh = events.filter((event) => event.seq > timeline.live.to);
  const [first] = fresh;
  if (first === undefined) return timeline;
  if (first.seq > timeline.live.to + 1) return null;
  return put(
    timeline,
    fresh.map((event) => entryOf(event, null, timeline.reader)),
  );
}

export function isStale(timeline: Timeline, page: HistoryPage): boolean {
  return page.head < timeline.live.from - 1;
}

/** A page of history, from anywhere. */
export function addPage(timeline: Timeline, page: HistoryPage): Timeline {
  if (isStale(timeline, page)) return timeline;
  const entries = page.events.map((event) =>
    entryOf(event, page.overlay[String(event.seq)] ?? null, timeline.reader),
  );
  return put({ ...timeline, first: page.first, paged: true }, entries);
}

/** Keeps only the newest events, as when nobody looks any more. */
export function trim(timeline: Timeline): Timeline {
  const last = timeline.ranges.at(-1);
  if (last === undefined || last.to !== timeline.live.to) {
    return { ...emptyTimeline(timeline.live.to, timeline.reader), first: timeline.first };
  }
  const range = rangeOf(last.entries.slice(-idleEventsMax / 2));
  if (range === null) return timeline;
  const live = { from: Math.max(timeline.live.from, range.from), to: timeline.live.to };
  return { ...timeline, ranges: [range], live };
}

export function held(timeline: Timeline): number {
  return timeline.ranges.reduce((sum, range) => sum + range.entries.length, 0);
}

function put(timeline: Timeline, entries: readonly Entry[]): Timeline {
  const { reader } = timeline;
  const known = knownChanges(timeline);
  const range = rangeOf(
    entries.map((entry) =>
      (known.get(entry.event.seq) ?? []).reduce(
        (before, change) => withChange(before, change, reader),
        entry,
      ),
    ),
  );
  if (range === null) return timeline;
  let ranges = insert(timeline.ranges, range, (mine, theirs) => combine(mine, theirs, reader));
  for (const change of changesOf(range.entries)) {
    ranges = replace(ranges, change.target.seq, (entry) => withChange(entry, change, reader));
  }
  return { ...timeline, ranges, live: { ...timeline.live, to: reach(ranges, timeline.live.to) } };
}

/** The changes in memory, by the seq of their message: what a page is too old, or too far away, to know. */
function knownChanges(timeline: Timeline): Map<Seq, ChangeEvent[]> {
  const known = new Map<Seq, ChangeEvent[]>();
  for (const change of timeline.ranges.flatMap((range) => changesOf(range.entries))) {
    const { seq } = change.target;
    known.set(seq, [...(known.get(seq) ?? []), change]);
  }
  return known;
}

/** How far the stream reaches once `ranges` are held: a page may have brought what live had not yet. */
function reach(ranges: readonly Range[], to: Seq): Seq {
  const range = ranges.find((candidate) => candidate.from <= to + 1 && to + 1 <= candidate.to);
  return range ? range.to : to;
}
