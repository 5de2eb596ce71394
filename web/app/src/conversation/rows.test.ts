import type { ConversationItem, TimelineItem, TimelineSnapshot } from '@klatch/client';
import { en } from '@klatch/views';
import { describe, expect, it } from 'vitest';
import { FakeLog } from '../fake/FakeLog';
import { people } from '../fake/people';
import { messageSnapshot, type MessageContext } from './messages';
import { buildRows } from './rows';

const now = new Date(2026, 4, 14, 12).getTime();
const known = new Map(people.map((person) => [person.id, person]));
const log = new FakeLog('general', 1000, [1, 2], ['hello'], now, 60_000);

const conversation: ConversationItem = {
  id: 'general',
  kind: 'channel',
  name: 'general',
  topic: '',
  history: 'all',
  role: 'member',
  joinedSeq: 1,
  members: 3,
  with: null,
  head: { seq: 1000, worthy: 1000, at: now },
  read: { seq: 990, version: 1, worthy: 990 },
  unread: 10,
  mentions: 0,
  settings: { notify: 'all', favourite: false },
  last: null,
  waiting: 0,
  failed: 0,
};

const context: MessageContext = {
  conversation,
  me: people[0]?.id ?? '',
  known,
  blocked: new Set(),
  revealed: new Set(),
  gone: new Set(),
  loaded: new Map(),
  channels: [],
  online: true,
  strings: en,
};

function rowsOf(
  items: readonly TimelineItem[],
  change: Partial<TimelineSnapshot> = {},
  unreadAfter: number | null = null,
) {
  const timeline: TimelineSnapshot = {
    conversation: 'general',
    phase: 'ready',
    problem: null,
    items,
    focus: null,
    older: 'more',
    newer: 'more',
    ...change,
  };
  return buildRows(timeline, {
    conversation,
    known,
    strings: en,
    unreadAfter,
    snapshotOf: (item) => messageSnapshot(item, context, null),
  });
}

describe('buildRows', () => {
  it('covers every seq once, loaded or not', () => {
    const rows = rowsOf(log.range(400, 520));
    let next = 1;
    for (const row of rows) {
      expect(row.from).toBe(next);
      next = row.to + 1;
    }
    expect(next).toBe(1001);
  });

  it('begins with the beginning where nothing is older, and says so while nothing was said', () => {
    const rows = rowsOf([], { older: 'end', newer: 'end' });
    expect(rows.map((row) => row.type)).toEqual(['start']);
  });

  it('draws one line before the first unread message of somebody else', () => {
    const rows = rowsOf(log.range(950, 1000), { newer: 'end' }, 990);
    const marked = rows.filter((row) => row.unread);
    expect(marked).toHaveLength(1);
    expect(marked[0]?.from).toBeGreaterThan(990);
  });

  it('puts unsent messages at the very end, also while the end is not loaded', () => {
    const unsent = { ...log.message(null, people[0]?.id ?? '', 'wait', now, 'k'), state: 'sending' as const };
    const rows = rowsOf([...log.range(400, 420), unsent]);
    expect(rows.at(-1)?.key).toBe('k');
    expect(rows.at(-2)?.type).toBe('gap');
  });

  it('groups one author within five minutes, and no further', () => {
    const say = (seq: number, at: number) =>
      log.message(seq, people[1]?.id ?? '', 'x', at, `g${String(seq)}`);
    const rows = rowsOf([say(1, now), say(2, now + 60_000), say(3, now + 7 * 60_000)], { older: 'end' });
    const grouped = rows.flatMap((row) => (row.type === 'message' ? [row.grouped] : []));
    expect(grouped).toEqual([false, true, false]);
  });
});
