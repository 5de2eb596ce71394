// Conversations as the sidebar's items: newest activity first, each the same object while nothing in it changed.
import type { ConversationItem, FailedCommand, UnreadTotals } from '../contract/items';
import type { OutboxEntry } from '../outbox/entry';
import { byPosition, isOpen } from '../outbox/entry';
import type { ConversationState } from '../store/conversation';
import { pendingOf } from '../store/pending';
import type { State } from '../store/state';
import { isSame } from './message';

interface Made {
  readonly pending: readonly OutboxEntry[];
  readonly item: ConversationItem;
}

const made = new WeakMap<ConversationState, Made>();

export function conversationItem(
  state: ConversationState,
  pending: readonly OutboxEntry[],
  before?: ConversationItem,
): ConversationItem {
  const known = made.get(state);
  if (known?.pending === pending) return known.item;
  const { id, head, read, mentions, settings, last } = state;
  const { kind, name, topic, history, role, joinedSeq, members } = state.facts;
  const fresh: ConversationItem = {
    ...{ id, kind, name, topic, history, role, joinedSeq, members, with: state.facts.with },
    ...{ head, read, mentions, settings, last },
    unread: Math.max(0, head.worthy - read.worthy),
    waiting: pending.filter(isOpen).length,
    failed: pending.filter(({ outcome }) => outcome.state === 'refused').length,
  };
  // Typing, receipts and loaded history are no part of it.
  const item = before && isSame(Object.values(before), Object.values(fresh)) ? before : fresh;
  made.set(state, { pending, item });
  return item;
}

/** A selector with a memory: hand it to one readable only. */
export function conversationList(): (state: State) => readonly ConversationItem[] {
  let before: readonly ConversationItem[] = [];
  let byId = new Map<string, ConversationItem>();
  let made: { conversations: unknown; outbox: unknown } = { conversations: null, outbox: null };
  return (state) => {
    if (made.conversations === state.conversations && made.outbox === state.outbox) return before;
    made = { conversations: state.conversations, outbox: state.outbox };
    const items = [...state.conversations.values()]
      .map((held) => conversationItem(held, pendingOf(state, held.id), byId.get(held.id)))
      .sort((a, b) => activity(b) - activity(a) || (a.id < b.id ? -1 : 1));
    if (!isSame(items, before)) before = items;
    byId = new Map(items.map((item) => [item.id, item]));
    return before;
  };
}

export function unreadTotals(items: readonly ConversationItem[]): UnreadTotals {
  const loud = items.filter((item) => item.settings.notify !== 'none');
  return {
    conversations: loud.filter((item) => item.unread > 0).length,
    messages: loud.reduce((sum, item) => sum + item.unread, 0),
    mentions: items.reduce((sum, item) => sum + item.mentions, 0),
  };
}

export function failedCommands(state: State): readonly FailedCommand[] {
  return [...state.outbox.values()]
    .flat()
    .sort(byPosition)
    .flatMap(({ id, conversation, command, outcome }) =>
      outcome.state === 'refused' ? [{ id, conversation, command, problem: outcome.problem }] : [],
    );
}

/** A reaction is no reason to move a conversation up. */
function activity(item: ConversationItem): number {
  return item.last?.at ?? item.head.at;
}
