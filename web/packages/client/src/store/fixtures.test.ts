// Replays api/fixtures/*.json: see fixtures.md.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ConversationItem, TimelineItem } from '../contract/items';
import { conversationItem } from '../project/conversations';
import { pendingIn } from '../project/pending';
import { itemsOf, surroundings } from '../project/timeline';
import { decodeConversation, decodeFrame, decodeHistory } from '../protocol/decode';
import type { User } from '../protocol/objects';
import { reduce } from './reduce';
import { initialState, type State } from './state';
import { rangeOf } from './timeline/ranges';

type Json = Record<string, unknown>;

interface Fixture {
  name: string;
  me: string;
  conversation: Json & { id: string };
  history: Json[];
  expect: { conversation: Json | null; page?: Json } | { behind: number };
}

const folder = join(import.meta.dirname, '../../../../../api/fixtures');
const fixtures = readdirSync(folder)
  .filter((file) => file.endsWith('.json'))
  .map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as Fixture);

describe('state + events = fresh state', () => {
  it.each(fixtures)('$name', (fixture) => {
    const followed = fixture.history.reduce(
      (state, step) => told(state, fixture, step),
      start(fixture.me, fixture.conversation),
    );
    const held = followed.conversations.get(fixture.conversation.id);
    if ('behind' in fixture.expect) {
      expect(held?.timeline.live.to).toBe(fixture.expect.behind);
      expect(held?.hole).toBe(true);
      return;
    }
    if (fixture.expect.conversation === null) {
      expect(held).toBeUndefined();
      return;
    }
    const page = fixture.expect.page ?? {};
    const fresh = told(start(fixture.me, fixture.expect.conversation), fixture, { type: 'page', ...page });
    const { events } = decodeHistory(page);
    const [from, to] = [events[0]?.seq ?? 0, events.at(-1)?.seq ?? 0];
    expect(seen(followed, fixture, from, to)).toEqual(seen(fresh, fixture, from, to));
    expect(held?.timeline.live.to).toBe(held?.head.seq);
  });

  it('there are fixtures', () => expect(fixtures.length).toBeGreaterThan(5));
});

function start(me: string, conversation: Json): State {
  const user: User = {
    ...{ id: me, name: 'me', display_name: 'Me', about: '', role: 'member', state: 'active' },
  };
  const signedIn = reduce(initialState, { type: 'signed-in', user });
  const item = decodeConversation(conversation);
  return reduce(signedIn, { type: 'frame', frame: { type: 'conversation', item }, now: 0 });
}

function told(state: State, fixture: Fixture, step: Json): State {
  if (step.type === 'page') {
    return reduce(state, { type: 'page', conversation: fixture.conversation.id, page: decodeHistory(step) });
  }
  const frame = decodeFrame(JSON.stringify(step));
  if (frame === null) throw new Error(`not a frame: ${JSON.stringify(step)}`);
  return reduce(state, { type: 'frame', frame, now: 0 });
}

/** What a person sees of the conversation, from one seq to another. */
function seen(
  state: State,
  fixture: Fixture,
  from: number,
  to: number,
): { item: ConversationItem; items: TimelineItem[] } {
  const held = state.conversations.get(fixture.conversation.id);
  if (held === undefined) throw new Error('the conversation is gone');
  const { ranges } = held.timeline;
  const around = surroundings(ranges, pendingIn([]), fixture.me);
  const entries = ranges
    .flatMap((range) => range.entries)
    .filter(({ event }) => event.seq >= from && event.seq <= to);
  const range = rangeOf(entries);
  return { item: conversationItem(held, []), items: range ? itemsOf(range, around) : [] };
}
