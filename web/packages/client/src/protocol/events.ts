// Events: what happened in a conversation, as its log holds it. Kinds this client does not know are 'unsupported'.
import type * as wire from './wire';

/** A body is a tagged union; types that came later than this client are 'unsupported'. */
export type Body = wire.Body;

/** Null where a message was deleted or its author erased. */
export type KlatchEvent = wire.Event;

type EventOf<K extends KlatchEvent['kind']> = Extract<KlatchEvent, { kind: K }>;

export type SentEvent = EventOf<'sent'>;

/** An event that changes an earlier message. */
export type ChangeEvent = EventOf<'edited' | 'deleted' | 'reacted' | 'unreacted' | 'pinned' | 'unpinned'>;

const changeKinds = new Set(['edited', 'deleted', 'reacted', 'unreacted', 'pinned', 'unpinned']);

export function isChange(event: KlatchEvent): event is ChangeEvent {
  return changeKinds.has(event.kind);
}
