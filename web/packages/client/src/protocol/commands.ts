// Commands: what a member wants done in a conversation.
import type { CommandId, ConversationId, MessageId, Millis, Seq, UserId } from './ids';
import type { HistorySetting, MemberRole } from './objects';

export type OutgoingBody = { type: 'text'; text: string; emote: boolean };

export interface SendCommand {
  kind: 'send';
  body: OutgoingBody;
  mentions?: UserId[];
  replies?: MessageId[];
  thread?: MessageId;
  expires_at?: Millis;
}

export interface EditCommand {
  kind: 'edit';
  target: MessageId;
  body: OutgoingBody;
  mentions?: UserId[];
}

export interface DeleteCommand {
  kind: 'delete';
  target: MessageId;
}

export interface ReactionCommand {
  kind: 'react' | 'unreact';
  target: MessageId;
  emoji: string;
}

export interface PinCommand {
  kind: 'pin' | 'unpin';
  target: MessageId;
}

/** Commands about messages: these wait in the outbox while offline. */
export type MessageCommand = SendCommand | EditCommand | DeleteCommand | ReactionCommand | PinCommand;

/** Commands about membership and the conversation itself: these are asked at once, by REST, and answered or refused. */
export type ConversationCommand =
  | { kind: 'join' }
  | { kind: 'leave' }
  | { kind: 'add'; user: UserId }
  | { kind: 'remove'; user: UserId }
  | { kind: 'set_role'; user: UserId; role: MemberRole }
  | { kind: 'change'; name?: string; topic?: string; history?: HistorySetting };

export type Command = MessageCommand | ConversationCommand;

/** A command with what the server needs to take it once and in order. */
export interface CommandEnvelope {
  id: CommandId;
  conversation: ConversationId;
  command: Command;
  /** The last seq known at the first try. */
  seen?: Seq;
  /** The command this device sent before it to the same conversation, if not answered yet. */
  after?: CommandId;
  claimed_at?: Millis;
}
