import type { MessageSnapshot } from '../MessageView/message';
import type { Row } from '../Virtual/Layout';

interface Base extends Row {
  /** The day that begins with this row, where one does. */
  day: number | null;
  /** What is unread begins with this row. */
  unread: boolean;
}

export interface MessageRow extends Base {
  type: 'message';
  grouped: boolean;
  message: MessageSnapshot;
}

/** What happened beside messages: joined, left, named. Several in a row are one. */
export interface NoticeRow extends Base {
  type: 'notice';
  at: number;
  lines: string[];
}

/** A stretch that is not loaded. */
export interface GapRow extends Base {
  type: 'gap';
  failed: boolean;
}

export interface StartRow extends Base {
  type: 'start';
  title: string;
  text: string | null;
}

export type TimelineRow = MessageRow | NoticeRow | GapRow | StartRow;

export const rowTraits = { isGap: (row: TimelineRow) => row.type === 'gap' };
