// Frames of the gateway's WebSocket, in both directions: JSON text, one object a frame, told apart by `type`.
import type * as wire from './wire';

export type ClientFrame = wire.ClientFrame;
export type CursorRequest = Extract<ClientFrame, { type: 'cursor' }>;

export type ServerFrame = wire.ServerFrame;

type FrameOf<T extends ServerFrame['type']> = Extract<ServerFrame, { type: T }>;

export type ReadyFrame = FrameOf<'ready'>;
export type ConversationsFrame = FrameOf<'conversations'>;
export type AcceptedFrame = FrameOf<'accepted'>;
export type CommittedFrame = FrameOf<'committed'>;
export type RejectedFrame = FrameOf<'rejected'>;
export type CursorFrame = FrameOf<'cursor'>;
