import type {
  ConversationItem,
  MessageItem,
  NoticeItem,
  TimelineItem,
  TimelineSnapshot,
} from '@klatch/client';
import { dayOf, type MessageSnapshot, type Strings, type TimelineRow } from '@klatch/views';
import { conversationName, type Known } from '../support/names';
import { noticeLines } from './notices';

const groupMs = 5 * 60_000;
const perSeq = 34;
/** Browsers stop counting at some height: gaps get flatter in conversations of millions. */
const tallest = 14_000_000;

export interface RowsContext {
  conversation: ConversationItem;
  known: Known;
  strings: Strings;
  /** What was read when one came: what follows is new. */
  unreadAfter: number | null;
  snapshotOf: (item: MessageItem) => MessageSnapshot;
}

export function firstSeq(conversation: ConversationItem): number {
  return conversation.history === 'since_joined' ? conversation.joinedSeq : 1;
}

/** The rows of a timeline: gaps for what is not loaded, people who came and went folded, days and news marked. */
export function buildRows(timeline: TimelineSnapshot, context: RowsContext): TimelineRow[] {
  const { conversation } = context;
  const first = firstSeq(conversation);
  const rows: TimelineRow[] = [];
  const settled = timeline.items.filter((item) => item.seq !== null);
  const begin = settled[0]?.seq ?? conversation.head.seq + 1;
  const end = settled.at(-1)?.seq ?? 0;
  if (timeline.older !== 'end' && begin > first)
    rows.push(gap(first, begin - 1, timeline.older === 'failed'));
  else if (timeline.phase === 'ready') rows.push(startRow(first, timeline, context));
  new RowBuilder(rows, context).addAll(timeline.items);
  const unsent = rows.findIndex((row) => row.to < row.from && row.type === 'message');
  const tail: TimelineRow[] = [];
  if (timeline.newer !== 'end' && end > 0 && conversation.head.seq > end) {
    tail.push(gap(end + 1, conversation.head.seq, timeline.newer === 'failed'));
  }
  if (unsent < 0) return [...rows, ...tail];
  return [...rows.slice(0, unsent), ...tail, ...rows.slice(unsent)];
}

function gap(from: number, to: number, failed: boolean): TimelineRow {
  const count = to - from + 1;
  const estimate = Math.min(count * perSeq, tallest);
  return {
    type: 'gap',
    key: `gap-${from === 1 ? 'old' : from}`,
    from,
    to,
    estimate,
    day: null,
    unread: false,
    failed,
  };
}

function startRow(
  first: number,
  { items }: TimelineSnapshot,
  { conversation, known, strings }: RowsContext,
): TimelineRow {
  const words = strings.timeline;
  const name = conversationName(conversation, known, strings);
  const titles = {
    channel: words.beginChannel(name),
    group: words.beginGroup(name),
    direct: words.beginDirect(name),
  };
  const said = items.some((item) => item.type === 'message');
  const text = first > 1 ? words.beginSince : conversation.topic || (said ? null : words.emptyText);
  return {
    type: 'start',
    key: 'start',
    from: first,
    to: first - 1,
    estimate: 130,
    day: null,
    unread: false,
    title: titles[conversation.kind],
    text,
  };
}

class RowBuilder {
  private last: MessageItem | null = null;
  private day = 0;
  private marked: boolean;

  constructor(
    private readonly rows: TimelineRow[],
    private readonly context: RowsContext,
  ) {
    this.marked = context.unreadAfter === null;
  }

  addAll(items: readonly TimelineItem[]): void {
    for (let at = 0; at < items.length;) {
      const item = items[at];
      if (!item) break;
      if (item.type === 'message') {
        this.addMessage(item, items[at + 1]?.seq ?? null);
        at += 1;
      } else {
        const run = noticesFrom(items, at);
        this.addNotices(item, run);
        at += run.length;
      }
    }
  }

  private addMessage(item: MessageItem, next: number | null): void {
    const day = this.newDay(item.at);
    const unread = this.isFirstUnread(item);
    const grouped = day === null && !unread && this.continues(item);
    const from = item.seq ?? this.context.conversation.head.seq + 1;
    const to = item.seq === null ? from - 1 : Math.max(from, (next ?? from + 1) - 1);
    const message = this.context.snapshotOf(item);
    this.rows.push({
      type: 'message',
      key: item.key,
      from,
      to,
      estimate: estimate(item, grouped),
      day,
      unread,
      grouped,
      message,
    });
    this.last = item;
  }

  private addNotices(first: NoticeItem, run: readonly NoticeItem[]): void {
    const { known, strings } = this.context;
    const to = run.at(-1)?.seq ?? first.seq;
    const day = this.newDay(first.at);
    const lines = noticeLines(run, known, strings);
    this.rows.push({
      type: 'notice',
      key: first.key,
      from: first.seq,
      to,
      estimate: 28,
      day,
      unread: false,
      at: first.at,
      lines,
    });
    this.last = null;
  }

  private newDay(at: number): number | null {
    const day = dayOf(at);
    if (day === this.day) return null;
    this.day = day;
    return day;
  }

  private isFirstUnread(item: MessageItem): boolean {
    const after = this.context.unreadAfter;
    if (this.marked || item.own || item.seq === null || after === null || item.seq <= after) return false;
    this.marked = true;
    return true;
  }

  private continues(item: MessageItem): boolean {
    const { last } = this;
    if (last?.author !== item.author || item.replies.length > 0) return false;
    const emote = (message: MessageItem) => message.body?.type === 'text' && message.body.emote;
    return (
      item.at - last.at < groupMs && !emote(item) && !emote(last) && last.origin?.name === item.origin?.name
    );
  }
}

function noticesFrom(items: readonly TimelineItem[], at: number): NoticeItem[] {
  const run: NoticeItem[] = [];
  for (const item of items.slice(at, at + 200)) {
    if (item.type !== 'notice') break;
    const before = run.at(-1);
    if (before && dayOf(before.at) !== dayOf(item.at)) break;
    run.push(item);
  }
  return run;
}

function estimate(item: MessageItem, grouped: boolean): number {
  const text = item.body?.type === 'text' ? item.body.text : '';
  const lines = text.split('\n').length + Math.floor(text.length / 90);
  return (
    (grouped ? 4 : 34) +
    lines * 22 +
    (item.reactions.length > 0 ? 32 : 0) +
    (item.replies.length > 0 ? 22 : 0)
  );
}
