// Whatever the order in which pages and live events come, however often, and whatever is lost on the way: once the holes are
// filled, the reducer holds what a fresh client would.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Room } from '../../test/server/room';
import type { TimelineItem } from '../contract/items';
import { conversationItem } from '../project/conversations';
import { pendingIn } from '../project/pending';
import { itemsOf, surroundings } from '../project/timeline';
import { decodeConversation, decodeEvent, decodeHistory } from '../protocol/decode';
import type { User } from '../protocol/objects';
import { reduce } from './reduce';
import { initialState, type State } from './state';
import { rangeAt } from './timeline/ranges';

const people = ['ann', 'bob', 'cat'] as const;
const me = 'ann';

/** What somebody tries to do; the target is the n-th message so far, modulo. */
const attempt = fc.record({
  who: fc.constantFrom(...people),
  what: fc.constantFrom(
    'send',
    'send',
    'edit',
    'edit',
    'delete',
    'react',
    'react',
    'unreact',
    'pin',
    'unpin',
  ),
  nth: fc.nat(6),
  emoji: fc.constantFrom('👍', '🎉'),
});

/** What the client is told, one after the other. Live frames go on from where the stream is. */
const delivery = fc.oneof(
  { weight: 4, arbitrary: fc.record({ type: fc.constant('live'), count: fc.integer({ min: 1, max: 6 }) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('lost'), count: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constantFrom('afresh', 'trim'), count: fc.constant(0) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('again'), count: fc.integer({ min: 1, max: 8 }) }) },
  {
    weight: 3,
    // A page is read when the log is somewhere, and comes when the stream is further on by `late`.
    arbitrary: fc.record({
      ...{ type: fc.constant('page'), from: fc.nat(60), length: fc.integer({ min: 1, max: 30 }) },
      late: fc.nat(8),
      count: fc.constant(0),
    }),
  },
);

describe('the reducer', () => {
  it('converges to what a fresh client holds', () => {
    fc.assert(
      fc.property(
        fc.array(attempt, { minLength: 5, maxLength: 60, size: 'max' }),
        fc.array(delivery, { maxLength: 30, size: 'max' }),
        fc.nat(60),
        (attempts, deliveries, known) => {
          const room = roomWith(attempts);
          const told = deliver(room, deliveries, Math.min(known, room.log.length));
          const state = complete(room, told);
          expect(seen(state, state)).toEqual(seen(fresh(room), state));
        },
      ),
      { numRuns: 500 },
    );
  });
});

function roomWith(attempts: readonly { who: string; what: string; nth: number; emoji: string }[]): Room {
  let now = 1000;
  const room = new Room('room', 'group', 'garden', () => (now += 1));
  const facts = { conversation_kind: 'group', name: 'garden', topic: '', history: 'all' };
  room.append(me, 'e0', { kind: 'created', ...facts, members: people.filter((user) => user !== me) });
  const messages: string[] = [];
  const authors: string[] = [];
  attempts.forEach(({ who, what, nth, emoji }, index) => {
    const id = `c${index}`;
    const body = { type: 'text', text: `text ${index}`, emote: false } as const;
    const place = nth % Math.max(1, messages.length);
    const target = messages[place] ?? 'none';
    const mentions = nth % 3 === 0 ? [me] : [];
    const command = { kind: what, body, mentions, target, emoji } as Parameters<Room['decide']>[2];
    const actor = what === 'edit' ? (authors[place] ?? who) : who;
    room.decide(actor, id, command);
    if (what !== 'send') return;
    messages.push(id);
    authors.push(who);
  });
  return room;
}

interface Delivery {
  type: string;
  count: number;
  from?: number;
  length?: number;
  late?: number;
}

function deliver(room: Room, deliveries: readonly Delivery[], known: number): State {
  let state = start(room, known);
  let streamed = known;
  for (const { type, count, from = 1, length = 1, late = 0 } of deliveries) {
    if (type === 'lost') streamed = Math.min(room.log.length, streamed + count);
    if (type === 'trim') state = reduce(state, { type: 'trim', conversation: 'room' });
    if (type === 'afresh') state = afresh(state, room, streamed);
    if (type === 'again') state = live(state, room, Math.max(0, streamed - count), streamed);
    if (type === 'live') {
      state = live(state, room, streamed, streamed + count);
      streamed = Math.min(room.log.length, streamed + count);
    }
    if (type === 'page') {
      const read = Math.max(1, streamed - late);
      state = page(state, room, Math.max(1, Math.min(from, read)), from + length, read);
    }
  }
  return live(state, room, streamed, room.log.length);
}

/** What the filler does: it asks for what the stream has skipped, and for nothing else. */
function complete(room: Room, told: State): State {
  return page(told, room, timelineOf(told).live.to + 1, room.log.length, room.log.length);
}

function fresh(room: Room): State {
  return page(start(room, room.log.length), room, 1, room.log.length, room.log.length);
}

function start(room: Room, known: number): State {
  const user: User = {
    ...{ id: me, name: me, display_name: me, about: '', role: 'member', state: 'active' },
  };
  const item = decodeConversation(itemAt(room, known));
  const signedIn = reduce(initialState, { type: 'signed-in', user });
  return reduce(signedIn, { type: 'frame', frame: { type: 'conversation', item }, now: 0 });
}

/** What the server would have said when the log was shorter. Read is fixed: here it is the log that is tried. */
function itemAt(room: Room, known: number): Record<string, unknown> {
  const earlier = new Room(room.id, 'group', room.name, () => 0);
  earlier.log.push(...room.log.slice(0, known));
  const members = earlier.log.filter((event) => event.kind === 'joined').length;
  return { ...earlier.item(me), members };
}

function afresh(state: State, room: Room, known: number): State {
  const item = decodeConversation({ ...itemAt(room, known), afresh: true });
  return reduce(state, { type: 'frame', frame: { type: 'conversation', item }, now: 0 });
}

function live(state: State, room: Room, from: number, to: number): State {
  const events = room.log.slice(from, to).map(decodeEvent);
  return reduce(state, { type: 'frame', frame: { type: 'events', conversation: 'room', events }, now: 0 });
}

function page(state: State, room: Room, from: number, to: number, head: number): State {
  const history = decodeHistory(room.pageBetween(from, to, me, head));
  return reduce(state, { type: 'page', conversation: 'room', page: history });
}

function timelineOf(state: State) {
  const held = state.conversations.get('room');
  if (held === undefined) throw new Error('the room is gone');
  return held.timeline;
}

/** What a person sees, of the ranges that `measure` holds. */
function seen(state: State, measure: State): unknown {
  const held = state.conversations.get('room');
  if (held === undefined) throw new Error('the room is gone');
  const { ranges, live: followed } = held.timeline;
  const around = surroundings(ranges, pendingIn([]), me);
  const { head, last, name, members } = conversationItem(held, []);
  const measured = timelineOf(measure).ranges;
  const items = ranges
    .flatMap((range) => itemsOf(range, around))
    .filter(({ seq }) => seq !== null && rangeAt(measured, seq));
  return { to: followed.to, items: items.map(withoutLinks), head, members, name, last: last?.seq };
}

/** Whether an answered message is in memory differs. */
function withoutLinks(item: TimelineItem): unknown {
  return item.type === 'message' ? { ...item, replies: [] } : item;
}
