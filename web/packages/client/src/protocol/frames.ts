// Frames of the gateway's WebSocket, in both directions: JSON text, one object a frame, told apart by `type`.
import type { CommandEnvelope } from './commands';
import type { KlatchEvent } from './events';
import type { CommandId, ConversationId, Millis, Seq, SessionId, UserId } from './ids';
import type { Conversation, Head, Limits, Presence, ReadCursor, User } from './objects';
import type { Problem } from './problem';

export type ClientFrame =
  | {
      type: 'hello';
      protocol: number[];
      token: string;
      client: { name: string; version: string };
      capabilities: string[];
    }
  | { type: 'sync'; have: Record<ConversationId, Seq>; after?: string }
  | ({ type: 'command' } & CommandEnvelope)
  | CursorRequest
  | { type: 'typing'; conversation: ConversationId; on: boolean }
  | { type: 'presence'; state: 'online' | 'away' }
  | { type: 'watch'; users: UserId[] }
  | { type: 'open'; conversations: ConversationId[] }
  | { type: 'ping' };

export interface CursorRequest {
  type: 'cursor';
  conversation: ConversationId;
  read?: { seq: Seq; version: number };
  delivered?: Seq;
}

export interface ReadyFrame {
  type: 'ready';
  protocol: number;
  workspace: string;
  user: User;
  session: SessionId;
  server_time: Millis;
  limits: Limits;
  capabilities: string[];
}

export interface ConversationsFrame {
  type: 'conversations';
  items: Conversation[];
  gone: ConversationId[];
  next: string | null;
}

export interface CommittedFrame {
  type: 'committed';
  id: CommandId;
  conversation: ConversationId;
  seq: Seq;
  repeated: boolean;
}

export interface RejectedFrame {
  type: 'rejected';
  id: CommandId;
  conversation: ConversationId;
  problem: Problem;
}

export interface CursorFrame {
  type: 'cursor';
  conversation: ConversationId;
  user: UserId;
  read?: ReadCursor;
  delivered?: Seq;
}

export type ServerFrame =
  | ReadyFrame
  | ConversationsFrame
  | { type: 'conversation'; item: Conversation }
  | { type: 'events'; conversation: ConversationId; events: KlatchEvent[] }
  | CommittedFrame
  | RejectedFrame
  | { type: 'head'; heads: ({ conversation: ConversationId } & Head)[] }
  | CursorFrame
  | { type: 'typing'; conversation: ConversationId; user: UserId; on: boolean }
  | { type: 'presence'; users: Presence[] }
  | { type: 'user'; user: User }
  | { type: 'account'; blocks?: UserId[] }
  | { type: 'error'; problem: Problem; of?: string }
  | { type: 'pong' };
