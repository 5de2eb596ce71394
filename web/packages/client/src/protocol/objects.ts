// The objects of the protocol under the names that they have here: people, conversations, cursors.
import type { Limits as LimitsOfToday } from './wire';

export type {
  Conversation,
  ConversationKind,
  ConversationSettings,
  Head,
  HistoryMode as HistorySetting,
  MemberRole,
  NotifyLevel as NotifySetting,
  Origin,
  PresenceItem as Presence,
  PresenceState,
  /** How far one has read; the highest version wins on all devices. */
  ReadCursor,
  /** A signed-in device. */
  SessionItem as Device,
  User,
} from './wire';

/** Limits the server tells in `ready`; none until it has. */
export type Limits = Readonly<Partial<LimitsOfToday>>;
