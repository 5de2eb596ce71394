// A command that waits in the outbox, as it is stored and shown.
import type { MessageCommand } from '../protocol/commands';
import type { CommandId, ConversationId, Millis, Seq } from '../protocol/ids';
import type { Problem } from '../protocol/problem';

export interface OutboxEntry {
  readonly id: CommandId;
  readonly conversation: ConversationId;
  readonly command: MessageCommand;
  /** Order of sending: a UUIDv7 of its own, since a retried command keeps its id but goes to the end. */
  readonly position: string;
  /** When it was typed. */
  readonly at: Millis;
  /** The last seq known at the first try. */
  readonly seen: Seq | null;
  readonly outcome: Outcome;
}

export type Outcome =
  | { readonly state: 'waiting' }
  /** The server's queue keeps it, and an answer follows; known only until the page is loaded anew. */
  | { readonly state: 'accepted' }
  /** Durable at this seq; kept only until the event itself has been seen. */
  | { readonly state: 'committed'; readonly seq: Seq }
  | { readonly state: 'refused'; readonly problem: Problem };

/** Whether nobody has said yet what became of it. */
export function isOpen({ outcome }: OutboxEntry): boolean {
  return outcome.state === 'waiting' || outcome.state === 'accepted';
}

export function byPosition(a: OutboxEntry, b: OutboxEntry): number {
  return a.position < b.position ? -1 : 1;
}
