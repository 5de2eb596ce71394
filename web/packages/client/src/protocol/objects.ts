// The objects of the protocol, as they cross the wire: people, conversations, cursors. See docs/protocol/gateway.md.
import type { KlatchEvent } from './events';
import type { ConversationId, Millis, Seq, SessionId, UserId } from './ids';

export interface Origin {
  network: string;
  name: string;
}

export interface User {
  id: UserId;
  name: string;
  display_name: string;
  about: string;
  role: 'owner' | 'member';
  state: 'active' | 'closed' | 'imported';
  origin?: Origin;
}

export type ConversationKind = 'direct' | 'group' | 'channel';
export type HistorySetting = 'all' | 'since_joined';
export type MemberRole = 'owner' | 'moderator' | 'member';
export type NotifySetting = 'all' | 'mentions' | 'none';
export type PresenceState = 'online' | 'away' | 'offline';

/** Where a conversation stands. `worthy` counts the messages up to there that count as unread. */
export interface Head {
  seq: Seq;
  worthy: number;
  at: Millis;
}

/** How far one has read; the highest version wins on all devices. */
export interface ReadCursor {
  seq: Seq;
  version: number;
  worthy: number;
}

export interface ConversationSettings {
  notify: NotifySetting;
  favourite: boolean;
}

export interface Conversation {
  id: ConversationId;
  kind: ConversationKind;
  name: string;
  topic: string;
  history: HistorySetting;
  role: MemberRole;
  joined_seq: Seq;
  members: number;
  /** The other person of a direct conversation. */
  with?: UserId;
  head: Head;
  read: ReadCursor;
  delivered: Seq;
  mentions: number;
  settings: ConversationSettings;
  /** The newest message, for a preview. */
  last: KlatchEvent | null;
  /** What follows the seq that `sync` named. */
  events?: KlatchEvent[];
  /** Forget what was held of it and begin with a page of history. */
  afresh?: boolean;
}

export interface Presence {
  user: UserId;
  state: PresenceState;
  since: Millis;
}

/** A signed-in device. */
export interface Device {
  id: SessionId;
  device: string;
  created_at: Millis;
  last_used_at: Millis;
  current: boolean;
}

/** Limits the server tells in `ready`; names as in docs/protocol/limits.md, unknown ones are kept. */
export type Limits = Readonly<Record<string, number>>;
