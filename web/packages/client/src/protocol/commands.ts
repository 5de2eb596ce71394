// Commands: what a member wants done in a conversation.
import type { Body } from './events';
import type * as wire from './wire';

export type Command = wire.CommandBody;

type CommandOf<K extends Command['kind']> = Extract<Command, { kind: K }>;

/** What people can say. */
export type OutgoingBody = Extract<Body, { type: 'text' }>;
export type SendCommand = CommandOf<'send'> & { body: OutgoingBody };
export type EditCommand = CommandOf<'edit'> & { body: OutgoingBody };

/** Commands about messages: these wait in the outbox while offline. */
export type MessageCommand =
  SendCommand | EditCommand | CommandOf<'delete' | 'react' | 'unreact' | 'pin' | 'unpin'>;

/** Commands about membership and the conversation itself: these are asked at once, by REST, and answered or refused. */
export type ConversationCommand = CommandOf<'join' | 'leave' | 'add' | 'remove' | 'set_role' | 'change'>;

/** A command with what the server needs to take it once and in order. */
export type CommandEnvelope = wire.NewCommand & { conversation: string };
