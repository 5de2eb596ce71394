// A range of a conversation's log as the items of a timeline.
import type { NoticeItem, Preview, TimelineItem } from '../contract/items';
import type { OutboxEntry } from '../outbox/entry';
import { isChange } from '../protocol/events';
import type { MessageId, Seq, UserId } from '../protocol/ids';
import type { Entry } from '../store/timeline/entry';
import { entryAt, type Range } from '../store/timeline/ranges';
import { itemOf, previewOfEntry, type Surroundings, unsentItem } from './message';
import { nothingPending, type Pending } from './pending';

export function surroundings(ranges: readonly Range[], pending: Pending, me: UserId): Surroundings {
  const findById = (id: MessageId): Entry | undefined => {
    for (const range of ranges.toReversed()) {
      const entry = range.entries.findLast((held) => held.event.id === id);
      if (entry) return entry;
    }
    return undefined;
  };
  const find = (reply: { id: MessageId; seq: Seq | null }): Preview | undefined => {
    const entry = reply.seq === null ? findById(reply.id) : entryAt(ranges, reply.seq);
    return entry && previewOfEntry(entry);
  };
  return { me, find, changesFor: (target) => pending.changes.get(target) ?? nothingPending };
}

/** What is shown of a range. Changes to messages are not items of their own. */
export function itemsOf(range: Range, around: Surroundings): TimelineItem[] {
  return range.entries.flatMap((entry) => {
    const item = timelineItem(entry, around);
    return item ? [item] : [];
  });
}

export function unsentItems(sends: readonly OutboxEntry[], around: Surroundings): TimelineItem[] {
  return sends.flatMap((entry) =>
    entry.command.kind === 'send' ? [unsentItem(entry, entry.command, around)] : [],
  );
}

export function timelineItem(entry: Entry, around: Surroundings): TimelineItem | null {
  if (entry.event.kind === 'sent' && entry.view) return itemOf(entry, entry.event, entry.view, around);
  return isChange(entry.event) ? null : noticeOf(entry);
}

const notices = new WeakMap<Entry, NoticeItem>();

function noticeOf(entry: Entry): NoticeItem {
  const { event } = entry;
  const notice = notices.get(entry) ?? { type: 'notice', key: event.id, seq: event.seq, at: event.at, event };
  notices.set(entry, notice);
  return notice;
}
