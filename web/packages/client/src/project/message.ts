// Messages as items. An item is made anew only if something in it changed, so a list of thousands re-renders one row.
import type { MessageItem, MessageState, Preview, ReplyItem } from '../contract/items';
import { isOpen, type OutboxEntry } from '../outbox/entry';
import type { SendCommand } from '../protocol/commands';
import type { SentEvent } from '../protocol/events';
import type { MessageId, MessageLink, Seq, UserId } from '../protocol/ids';
import type { Problem } from '../protocol/problem';
import type { Entry, MessageView } from '../store/timeline/entry';
import { asIfDone } from './pending';

/** What an item is made of besides its own entry. */
export interface Surroundings {
  readonly me: UserId;
  changesFor(target: MessageId): readonly OutboxEntry[];
  /** The message that is answered, if it is in memory. */
  find(reply: { id: MessageId; seq: Seq | null }): Preview | undefined;
}

interface Made {
  readonly changes: readonly OutboxEntry[];
  readonly answered: readonly (Preview | undefined)[];
  readonly item: MessageItem;
}

const made = new WeakMap<Entry | OutboxEntry, Made>();

export function itemOf(entry: Entry, event: SentEvent, view: MessageView, around: Surroundings): MessageItem {
  return remembered(entry, event.id, event.replies, around, (changes, replies) => {
    const shown = asIfDone(view, changes, around.me);
    return {
      type: 'message',
      key: event.id,
      id: event.id,
      seq: event.seq,
      author: event.author,
      own: event.author === around.me,
      at: timeOf(event),
      ...shownOf(shown, around.me),
      replies,
      thread: event.thread ?? null,
      origin: event.origin ?? null,
      state: changes.some(isOpen) ? 'changing' : 'sent',
      problem: problemOf(changes),
    };
  });
}

/** A message that is not in the log yet. Links are by id: their place is not told until it is sent. */
export function unsentItem(entry: OutboxEntry, command: SendCommand, around: Surroundings): MessageItem {
  const links = (command.replies ?? []).map((id) => ({ id, seq: null }));
  return remembered(entry, entry.id, links, around, (changes, replies) => {
    const typed: MessageView = {
      body: command.body,
      mentions: command.mentions ?? [],
      edited: null,
      deleted: null,
      reactions: [],
      pinned: null,
    };
    return {
      type: 'message',
      key: entry.id,
      id: entry.id,
      seq: entry.outcome.state === 'committed' ? entry.outcome.seq : null,
      author: around.me,
      own: true,
      at: entry.at,
      ...shownOf(asIfDone(typed, changes, around.me), around.me),
      replies,
      thread: null,
      origin: null,
      state: unsentStates[entry.outcome.state],
      problem: problemOf([entry, ...changes]),
    };
  });
}

const unsentStates: Record<OutboxEntry['outcome']['state'], MessageState> = {
  waiting: 'sending',
  accepted: 'accepted',
  committed: 'sent',
  refused: 'failed',
};

const previews = new WeakMap<Entry, Preview>();

/** A line of a message, for replies to it. */
export function previewOfEntry(entry: Entry): Preview | undefined {
  if (entry.event.kind !== 'sent' || entry.view === null) return undefined;
  const { id, seq, author } = entry.event;
  const preview = previews.get(entry) ?? { id, seq, author, at: timeOf(entry.event), body: entry.view.body };
  previews.set(entry, preview);
  return preview;
}

function remembered(
  source: Entry | OutboxEntry,
  id: MessageId,
  links: readonly (MessageLink | { id: MessageId; seq: null })[],
  around: Surroundings,
  make: (changes: readonly OutboxEntry[], replies: readonly ReplyItem[]) => MessageItem,
): MessageItem {
  const changes = around.changesFor(id);
  const answered = links.map((link) => around.find(link));
  const before = made.get(source);
  if (before && isSame(before.changes, changes) && isSame(before.answered, answered)) return before.item;
  const replies = links.map((link, index) => ({ ...link, message: answered[index] }));
  const item = make(changes, replies);
  made.set(source, { changes, answered, item });
  return item;
}

function shownOf(view: MessageView, me: UserId) {
  const { mentions, edited, deleted, reactions, pinned } = view;
  const body = deleted ? null : view.body;
  return { body, mentions, mentionsMe: mentions.includes(me), edited, deleted, reactions, pinned };
}

function problemOf(entries: readonly OutboxEntry[]): Problem | null {
  const refused = entries.find(({ outcome }) => outcome.state === 'refused')?.outcome;
  return refused?.state === 'refused' ? refused.problem : null;
}

function timeOf(event: SentEvent): number {
  return event.origin ? (event.claimed_at ?? event.at) : event.at;
}

export function isSame(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((value, index) => value === b[index]);
}
