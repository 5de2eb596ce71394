// Names for the identifiers of the protocol. All are UUID strings in lower case; the names only help the reader.

export type UserId = string;
export type ConversationId = string;
/** A message's id is the id of the command that sent it. */
export type MessageId = string;
/** UUIDv7, made by this client. */
export type CommandId = string;
export type SessionId = string;
/** Position in a conversation's log: 1, 2, 3, … without holes. */
export type Seq = number;
/** Milliseconds since 1970 (UTC). */
export type Millis = number;

/** A message known both by id and by its place in the log. */
export type { MessageLink } from './wire';
