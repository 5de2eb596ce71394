// Everything that can change the state, as data.
import type { ServerFrame } from '../protocol/frames';
import type { ConversationId, Millis, Seq, UserId } from '../protocol/ids';
import type { ConversationSettings, User } from '../protocol/objects';
import type { HistoryPage, Member } from '../protocol/rest';
import type { OutboxEntry } from '../outbox/entry';

export type Action =
  /** Who reads: the start of everything, and the start over for somebody else. */
  | { type: 'signed-in'; user: User }
  | { type: 'signed-out' }
  | { type: 'frame'; frame: ServerFrame; now: Millis }
  /** `sync` begins: what no page names by its end is not one's conversation any more. */
  | { type: 'syncing' }
  | { type: 'page'; conversation: ConversationId; page: HistoryPage }
  /** Nobody looks at it any more: only the newest is kept. */
  | { type: 'trim'; conversation: ConversationId }
  | { type: 'users'; users: readonly User[] }
  | { type: 'members'; conversation: ConversationId; members: readonly Member[] }
  | { type: 'blocks'; users: readonly UserId[] }
  /** One's own cursor was moved here. */
  | { type: 'read'; conversation: ConversationId; seq: Seq; back: boolean }
  | { type: 'settings'; conversation: ConversationId; settings: Partial<ConversationSettings> }
  | { type: 'left'; conversation: ConversationId }
  | { type: 'outbox'; entry: OutboxEntry }
  | { type: 'outbox-removed'; id: string }
  /** Time has passed: typing ends by itself. */
  | { type: 'clock'; now: Millis };
