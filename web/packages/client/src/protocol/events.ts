// Events: what happened in a conversation, as its log holds it. Kinds this client does not know are 'unsupported'.
import type { MessageId, MessageLink, Millis, Seq, UserId } from './ids';
import type { ConversationKind, HistorySetting, MemberRole, Origin } from './objects';

/** A body is a tagged union; types that came later than this client are 'unsupported'. */
export type Body =
  | { type: 'text'; text: string; emote: boolean }
  | { type: 'notice'; text: string }
  | { type: 'unsupported'; original: string };

interface EventBase {
  seq: Seq;
  /** The id of the command that made it. */
  id: MessageId;
  author: UserId;
  at: Millis;
  /** Messages up to and with this one that count as unread. */
  worthy: number;
  claimed_at?: Millis;
  origin?: Origin;
}

export interface SentEvent extends EventBase {
  kind: 'sent';
  /** Null where the message was deleted or its author erased. */
  body: Body | null;
  erased?: boolean;
  mentions: UserId[];
  replies: MessageLink[];
  thread?: MessageLink;
  expires_at?: Millis;
}

export interface EditedEvent extends EventBase {
  kind: 'edited';
  target: MessageLink;
  body: Body | null;
  erased?: boolean;
  mentions: UserId[];
}

export interface DeletedEvent extends EventBase {
  kind: 'deleted';
  target: MessageLink;
}

export interface ReactionEvent extends EventBase {
  kind: 'reacted' | 'unreacted';
  target: MessageLink;
  emoji: string;
}

export interface PinEvent extends EventBase {
  kind: 'pinned' | 'unpinned';
  target: MessageLink;
}

export interface CreatedEvent extends EventBase {
  kind: 'created';
  conversation_kind: ConversationKind;
  name: string;
  topic: string;
  history: HistorySetting;
}

export interface ChangedEvent extends EventBase {
  kind: 'changed';
  name?: string;
  topic?: string;
  history?: HistorySetting;
}

export interface JoinedEvent extends EventBase {
  kind: 'joined';
  user: UserId;
  role: MemberRole;
}

export interface LeftEvent extends EventBase {
  kind: 'left' | 'removed';
  user: UserId;
}

export interface RoleSetEvent extends EventBase {
  kind: 'role_set';
  user: UserId;
  role: MemberRole;
}

export interface UnsupportedEvent extends EventBase {
  kind: 'unsupported';
  original: string;
}

/** An event that changes an earlier message. */
export type ChangeEvent = EditedEvent | DeletedEvent | ReactionEvent | PinEvent;

export type KlatchEvent =
  | SentEvent
  | ChangeEvent
  | CreatedEvent
  | ChangedEvent
  | JoinedEvent
  | LeftEvent
  | RoleSetEvent
  | UnsupportedEvent;

const changeKinds = new Set(['edited', 'deleted', 'reacted', 'unreacted', 'pinned', 'unpinned']);

export function isChange(event: KlatchEvent): event is ChangeEvent {
  return changeKinds.has(event.kind);
}
