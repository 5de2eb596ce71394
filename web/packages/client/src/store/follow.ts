// Live events of one conversation: the timeline follows, and with it facts, head, preview, cursors and typing.
import type { KlatchEvent } from '../protocol/events';
import type { UserId } from '../protocol/ids';
import type { Head } from '../protocol/objects';
import type { HistoryPage } from '../protocol/rest';
import { type ConversationState, factsAfter, previewAfter } from './conversation';
import { mentionsAfter, withRead } from './cursors';
import { without } from './state';
import { rangeAt } from './timeline/ranges';
import { addPage, follow } from './timeline/timeline';

/** Undefined where the reader left or was removed: the conversation is theirs no more. */
export function eventsCame(
  state: ConversationState,
  events: readonly KlatchEvent[],
  reader: UserId,
): ConversationState | undefined {
  const last = events.at(-1);
  if (last === undefined) return state;
  const timeline = follow(state.timeline, events);
  if (timeline === null) return { ...state, head: furthest(state.head, headAt(last)), hole: true };
  return withNews({ ...state, timeline }, events, reader);
}

/** A page of history may run ahead of the stream; what it brought first is news as well. */
export function pageCame(
  state: ConversationState,
  page: HistoryPage,
  reader: UserId,
): ConversationState | undefined {
  const timeline = addPage(state.timeline, page);
  if (timeline === state.timeline) return state;
  const { to } = state.timeline.live;
  const reached = timeline.live.to > to ? (rangeAt(timeline.ranges, timeline.live.to)?.entries ?? []) : [];
  const news = reached.map((entry) => entry.event).filter((event) => event.seq > to);
  const head = page.events.at(-1);
  const after = head?.seq === page.head ? headCame(state, headAt(head)) : state;
  return withNews({ ...after, timeline }, news, reader);
}

export function headCame(state: ConversationState, head: Head): ConversationState {
  const after = furthest(state.head, head);
  return after === state.head ? state : { ...state, head: after };
}

function withNews(
  state: ConversationState,
  events: readonly KlatchEvent[],
  reader: UserId,
): ConversationState | undefined {
  let after = { ...state, hole: state.timeline.live.to < state.head.seq && state.hole };
  for (const event of events) {
    if (endsFor(event, after.facts.asOf, reader)) return undefined;
    after = withEvent(after, event, reader);
  }
  return after;
}

function withEvent(state: ConversationState, event: KlatchEvent, reader: UserId): ConversationState {
  if (event.seq <= state.facts.asOf) return state;
  const after = {
    ...state,
    facts: factsAfter(state.facts, event, reader),
    head: furthest(state.head, headAt(event)),
    last: previewAfter(state.last, event),
    typing: event.kind === 'sent' ? without(state.typing, event.author) : state.typing,
  };
  // Who is mentioned by an edit is mentioned in its message.
  if (event.kind === 'edited') return { ...after, mentions: mentionsAfter(after, after.read.seq, reader) };
  if (event.kind !== 'sent') return after;
  if (event.author !== reader) {
    return event.mentions.includes(reader) ? { ...after, mentions: after.mentions + 1 } : after;
  }
  // Who writes has read what is above. The server counts a version for it, so that older wishes do not win; so do we.
  const read = { seq: event.seq, version: state.read.version + 1, worthy: event.worthy };
  return event.seq > state.read.seq ? withRead(after, read, reader) : after;
}

function endsFor(event: KlatchEvent, asOf: number, reader: UserId): boolean {
  const ends = event.kind === 'left' || event.kind === 'removed';
  return ends && event.user === reader && event.seq > asOf;
}

function headAt(event: KlatchEvent): Head {
  return { seq: event.seq, worthy: event.worthy, at: event.at };
}

function furthest(a: Head, b: Head): Head {
  return b.seq > a.seq ? b : a;
}
