import type { MessageActions, MessageSnapshot, PersonSnapshot } from '../MessageView/message';
import type { MessageRow, TimelineRow } from '../TimelineView/rows';

/** Made-up people and messages for stories and tests. */
export const mira: PersonSnapshot = { id: 'u-mira', name: 'Mira Okafor', handle: 'mira' };
export const jonas: PersonSnapshot = { id: 'u-jonas', name: 'Jonas Lindqvist', handle: 'jonas' };
export const aiko: PersonSnapshot = { id: 'u-aiko', name: 'Aiko Tanaka', handle: 'aiko' };

/** Noon of a day in May, local time. */
export const noon = new Date(2026, 4, 14, 12).getTime();

export const nothing = (): void => undefined;
export const worked = (): Promise<boolean> => Promise.resolve(true);

export function message(
  change: Partial<MessageSnapshot> = {},
  text = 'Good morning everybody',
): MessageSnapshot {
  return {
    id: `m-${String(change.seq ?? 1)}`,
    seq: 1,
    author: jonas,
    own: false,
    at: noon,
    content: { type: 'text', text, emote: false, mentions: [] },
    edited: null,
    reply: null,
    reactions: [],
    pinned: false,
    mentionsMe: false,
    state: 'sent',
    problem: null,
    receipt: null,
    origin: null,
    can: { write: true, edit: false, remove: false, pin: false },
    ...change,
  };
}

export const messageActions: MessageActions = {
  reply: nothing,
  edit: nothing,
  remove: nothing,
  react: nothing,
  pickEmoji: nothing,
  pin: nothing,
  copyText: nothing,
  copyLink: nothing,
  markUnread: nothing,
  retry: nothing,
  discard: nothing,
  showReplied: nothing,
  showPerson: nothing,
  showBlocked: nothing,
};

export function row(seq: number, change: Partial<MessageRow> = {}, text?: string): MessageRow {
  const snapshot = message(
    { id: `m-${String(seq)}`, seq, author: seq % 3 === 0 ? mira : jonas, at: noon + seq * 60_000 },
    text,
  );
  return {
    type: 'message',
    key: `k-${String(seq)}`,
    from: seq,
    to: seq,
    estimate: 48,
    day: null,
    unread: false,
    grouped: false,
    message: snapshot,
    ...change,
  };
}

export function rows(count: number): TimelineRow[] {
  return Array.from({ length: count }, (_, index) => row(index + 1, index === 0 ? { day: noon } : {}));
}
