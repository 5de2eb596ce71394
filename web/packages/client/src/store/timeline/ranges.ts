// Ranges of a log that are in memory: each is contiguous, they are sorted, and none meets or overlaps another.
import type { Seq } from '../../protocol/ids';
import type { Entry } from './entry';

export interface Range {
  readonly from: Seq;
  readonly to: Seq;
  /** One for every seq from `from` to `to`. */
  readonly entries: readonly Entry[];
}

/** Null for no entries. */
export function rangeOf(entries: readonly Entry[]): Range | null {
  const [first] = entries;
  const last = entries.at(-1);
  if (first === undefined || last === undefined) return null;
  return { from: first.event.seq, to: last.event.seq, entries };
}

export function rangeAt(ranges: readonly Range[], seq: Seq): Range | undefined {
  return ranges.find((range) => range.from <= seq && seq <= range.to);
}

export function entryAt(ranges: readonly Range[], seq: Seq): Entry | undefined {
  const range = rangeAt(ranges, seq);
  return range?.entries[seq - range.from];
}

/** Puts a range in, merging it with all that it meets; what both hold is combined. */
export function insert(
  ranges: readonly Range[],
  added: Range,
  combine: (held: Entry, added: Entry) => Entry,
): readonly Range[] {
  const before = ranges.filter((range) => range.to < added.from - 1);
  const after = ranges.filter((range) => range.from > added.to + 1);
  const meeting = ranges.slice(before.length, ranges.length - after.length);
  const merged = meeting.reduce((left, right) => join(left, right, combine), added);
  return [...before, merged, ...after];
}

/** `added` and `held` overlap or touch. */
function join(added: Range, held: Range, combine: (held: Entry, added: Entry) => Entry): Range {
  const from = Math.min(added.from, held.from);
  const to = Math.max(added.to, held.to);
  const entries: Entry[] = [];
  for (let seq = from; seq <= to; seq += 1) {
    const mine = held.entries[seq - held.from];
    const theirs = added.entries[seq - added.from];
    const entry = mine && theirs ? combine(mine, theirs) : (mine ?? theirs);
    if (entry) entries.push(entry);
  }
  return { from, to, entries };
}

/** The same ranges with one entry replaced. */
export function replace(
  ranges: readonly Range[],
  seq: Seq,
  change: (entry: Entry) => Entry,
): readonly Range[] {
  const range = rangeAt(ranges, seq);
  const entry = range?.entries[seq - range.from];
  if (range === undefined || entry === undefined) return ranges;
  const after = change(entry);
  if (after === entry) return ranges;
  const entries = range.entries.with(seq - range.from, after);
  return ranges.map((other) => (other === range ? { ...range, entries } : other));
}
