// What the client shows of the protocol's objects: immutable snapshots, equal by identity while nothing in them changed.
import type { Body, KlatchEvent } from '../protocol/events';
import type { CommandId, ConversationId, MessageId, MessageLink, Millis, Seq, UserId } from '../protocol/ids';
import type { MessageCommand } from '../protocol/commands';
import type {
  ConversationKind,
  ConversationSettings,
  Head,
  HistorySetting,
  MemberRole,
  Origin,
  ReadCursor,
} from '../protocol/objects';
import type { Problem } from '../protocol/problem';

/** One conversation of the sidebar. */
export interface ConversationItem {
  readonly id: ConversationId;
  readonly kind: ConversationKind;
  readonly name: string;
  readonly topic: string;
  readonly history: HistorySetting;
  readonly role: MemberRole;
  readonly joinedSeq: Seq;
  readonly members: number;
  /** The other person of a direct conversation. */
  readonly with: UserId | null;
  readonly head: Head;
  readonly read: ReadCursor;
  readonly unread: number;
  readonly mentions: number;
  readonly settings: ConversationSettings;
  /** The newest message, for a preview: its body is null once deleted. */
  readonly last: Preview | null;
  /** Commands of ours that wait to be sent, and those that failed. */
  readonly waiting: number;
  readonly failed: number;
}

export interface Preview {
  readonly id: MessageId;
  readonly seq: Seq;
  readonly author: UserId;
  readonly at: Millis;
  readonly body: Body | null;
}

export interface Reaction {
  readonly emoji: string;
  readonly count: number;
  /** At most 20 of those who reacted. */
  readonly users: readonly UserId[];
  readonly me: boolean;
}

/** What a message answers. `message` is undefined until it is loaded: see `Messages.load`. */
export interface ReplyItem {
  readonly id: MessageId;
  readonly seq: Seq | null;
  readonly message: Preview | undefined;
}

/**
 * - `sending`: not acknowledged yet; `sent`: durable; `failed`: refused, see `problem`.
 * - `changing`: durable, with an edit, deletion, reaction or pin of ours on its way (shown as if it had happened).
 */
export type MessageState = 'sending' | 'accepted' | 'sent' | 'changing' | 'failed';

export interface MessageItem {
  readonly type: 'message';
  /** Stable from the moment of typing on: the same before and after the server's acknowledgement. */
  readonly key: string;
  readonly id: MessageId;
  /** Null until the server has given it a place. */
  readonly seq: Seq | null;
  readonly author: UserId;
  readonly own: boolean;
  /** The time to show: what the server says, or the claimed time of something imported. */
  readonly at: Millis;
  /** Null where deleted or erased. */
  readonly body: Body | null;
  readonly mentions: readonly UserId[];
  readonly mentionsMe: boolean;
  readonly edited: { readonly at: Millis } | null;
  readonly deleted: { readonly at: Millis; readonly by: UserId } | null;
  readonly reactions: readonly Reaction[];
  readonly pinned: { readonly at: Millis; readonly by: UserId } | null;
  readonly replies: readonly ReplyItem[];
  readonly thread: MessageLink | null;
  readonly origin: Origin | null;
  readonly state: MessageState;
  readonly problem: Problem | null;
}

/** Something else that is shown in the timeline: joined, left, changed, …, or 'unsupported'. */
export interface NoticeItem {
  readonly type: 'notice';
  readonly key: string;
  readonly seq: Seq;
  readonly at: Millis;
  readonly event: KlatchEvent;
}

export type TimelineItem = MessageItem | NoticeItem;

/** A command of ours that was refused and waits for the person's word: `messages.retry` or `messages.discard`. */
export interface FailedCommand {
  readonly id: CommandId;
  readonly conversation: ConversationId;
  readonly command: MessageCommand;
  readonly problem: Problem;
}

/** How far the others of a conversation have read and received. */
export interface Receipt {
  readonly user: UserId;
  readonly read: Seq;
  readonly delivered: Seq;
}

export interface UnreadTotals {
  readonly conversations: number;
  /** Unread messages, those of muted conversations apart. */
  readonly messages: number;
  readonly mentions: number;
}
