// The shapes REST answers with. See docs/protocol/rest.md.
import type { Body, KlatchEvent } from './events';
import type { CommandId, ConversationId, Millis, Seq, UserId } from './ids';
import type { ConversationKind, Device, HistorySetting, MemberRole, User } from './objects';

/** A page of a list; `next` is given back to get the page after it, and is null at the end. */
export interface Page<T> {
  items: T[];
  next: string | null;
}

export interface SiteInfo {
  name: string;
  registration: 'invite' | 'open' | 'closed';
  needs_owner: boolean;
  version: string;
}

export interface SessionAnswer {
  access_token: string;
  expires_in_s: number;
  session: Device;
  user: User;
}

export interface Invite {
  id: string;
  /** Only in the answer to its creation. */
  token?: string;
  link?: string;
  uses_left: number | null;
  expires_at: Millis | null;
}

export interface PasswordReset {
  link: string;
  expires_at: Millis;
}

export interface Member {
  user: User;
  role: MemberRole;
  joined_seq: Seq;
  read?: Seq;
  delivered?: Seq;
}

export interface ChannelListing {
  id: ConversationId;
  name: string;
  topic: string;
  members: number;
  joined: boolean;
}

export interface NewConversation {
  id: ConversationId;
  kind: ConversationKind;
  name?: string;
  topic?: string;
  history?: HistorySetting;
  members?: UserId[];
  with?: UserId;
}

export interface CommandAnswer {
  id: CommandId;
  conversation: ConversationId;
  seq: Seq;
  repeated: boolean;
}

export interface OverlayReaction {
  emoji: string;
  count: number;
  /** At most 20 of those who reacted. */
  users: UserId[];
  me: boolean;
}

/** What all events up to `as_of` made of a message. */
export interface Overlay {
  as_of: Seq;
  edited?: { seq: Seq; at: Millis; body: Body | null; mentions: UserId[] };
  deleted?: { seq: Seq; at: Millis; by: UserId };
  reactions?: OverlayReaction[];
  pinned?: { by: UserId; at: Millis };
}

/** A contiguous range of the log with what later events made of its messages. */
export interface HistoryPage {
  events: KlatchEvent[];
  overlay: Record<string, Overlay>;
  head: Seq;
  /** The first seq one may read. */
  first: Seq;
}

/** Pinned messages lie anywhere in the log: they are not contiguous. */
export interface PinsPage {
  items: KlatchEvent[];
  overlay: Record<string, Overlay>;
}
