// What nobody looks at is let go of, and what was let go of cannot come back stale.
import { describe, expect, it } from 'vitest';
import type { KlatchEvent } from '../../protocol/events';
import { addPage, emptyTimeline, follow, held, idleEventsMax, isStale, trim } from './timeline';

const event = (seq: number): KlatchEvent => ({
  ...{ seq, id: `m${seq}`, author: 'bob', at: seq, worthy: seq, kind: 'sent', mentions: [], replies: [] },
  body: { type: 'text', text: `text ${seq}`, emote: false },
});

const events = (from: number, to: number): KlatchEvent[] =>
  Array.from({ length: to - from + 1 }, (_, index) => event(from + index));

const page = (from: number, to: number, head: number) => ({
  events: events(from, to),
  overlay: {},
  head,
  first: 1,
});

describe('a trimmed timeline', () => {
  it('keeps the newest, and refuses pages that are older than what it still knows', () => {
    const long = addPage(emptyTimeline(500, 'ann'), page(1, 500, 500));
    const followed = follow(long, events(501, 1010)) ?? long;
    const trimmed = trim(followed);
    expect(held(trimmed)).toBe(idleEventsMax / 2);
    expect(trimmed.ranges[0]?.to).toBe(1010);
    const from = trimmed.ranges[0]?.from ?? 0;
    expect(isStale(trimmed, page(1, 10, from - 2))).toBe(true);
    expect(isStale(trimmed, page(1, 10, from - 1))).toBe(false);
  });

  it('keeps nothing of places far from the stream', () => {
    const away = addPage(emptyTimeline(1000, 'ann'), page(1, 50, 1000));
    expect(held(trim(away))).toBe(0);
    expect(trim(away).live).toEqual({ from: 1001, to: 1000 });
  });
});
