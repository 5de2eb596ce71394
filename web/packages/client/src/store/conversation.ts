// One conversation as the client knows it: what the server said of it, kept up by the events that follow.
import type { KlatchEvent } from '../protocol/events';
import type { ConversationId, Millis, Seq, UserId } from '../protocol/ids';
import type {
  Conversation,
  ConversationKind,
  ConversationSettings,
  Head,
  HistorySetting,
  MemberRole,
  ReadCursor,
} from '../protocol/objects';
import type { Preview, Receipt } from '../contract/items';
import { emptyTimeline, follow, type Timeline } from './timeline/timeline';

export interface ConversationState {
  readonly id: ConversationId;
  readonly facts: Facts;
  readonly head: Head;
  readonly read: ReadCursor;
  readonly mentions: number;
  readonly settings: ConversationSettings;
  readonly last: Preview | null;
  readonly receipts: ReadonlyMap<UserId, Receipt>;
  /** Who is typing, and until when that holds. */
  readonly typing: ReadonlyMap<UserId, Millis>;
  readonly timeline: Timeline;
  /** Events were missed: what they said is to be asked for. */
  readonly hole: boolean;
}

/** What events change about a conversation, as of a seq. */
export interface Facts {
  readonly asOf: Seq;
  readonly kind: ConversationKind;
  readonly name: string;
  readonly topic: string;
  readonly history: HistorySetting;
  readonly role: MemberRole;
  readonly joinedSeq: Seq;
  readonly members: number;
  readonly with: UserId | null;
}

/** What the server says of a conversation, joined with what was held. */
export function fromItem(
  item: Conversation,
  held: ConversationState | undefined,
  reader: UserId,
): ConversationState {
  const timeline = timelineFor(item, held, reader);
  const newer = held !== undefined && held.head.seq > item.head.seq ? held : null;
  const head = newer?.head ?? item.head;
  return {
    id: item.id,
    facts: newer?.facts ?? factsOf(item),
    head,
    read: held && held.read.version > item.read.version ? held.read : item.read,
    mentions: item.mentions,
    settings: item.settings,
    last: newer?.last ?? previewOf(item.last),
    receipts: held?.receipts ?? new Map(),
    typing: held?.typing ?? new Map(),
    timeline,
    hole: timeline.live.to < head.seq,
  };
}

function timelineFor(item: Conversation, held: ConversationState | undefined, reader: UserId): Timeline {
  const fresh = emptyTimeline(item.head.seq, reader);
  if (held === undefined || item.afresh === true) return fresh;
  const followed = follow(held.timeline, item.events ?? []) ?? held.timeline;
  return followed.paged || followed.live.to >= item.head.seq ? followed : fresh;
}

function factsOf(item: Conversation): Facts {
  const { kind, name, topic, history, role, members } = item;
  return {
    ...{ asOf: item.head.seq, kind, name, topic, history, role, members },
    joinedSeq: item.joined_seq,
    with: item.with ?? null,
  };
}

/** Facts after an event that is newer than they are. */
export function factsAfter(facts: Facts, event: KlatchEvent, reader: UserId): Facts {
  const asOf = event.seq;
  switch (event.kind) {
    case 'changed':
      return {
        ...facts,
        asOf,
        name: event.name ?? facts.name,
        topic: event.topic ?? facts.topic,
        history: event.history ?? facts.history,
      };
    case 'joined':
      return { ...facts, asOf, members: facts.members + 1 };
    case 'left':
    case 'removed':
      return { ...facts, asOf, members: facts.members - 1 };
    case 'role_set':
      return { ...facts, asOf, role: event.user === reader ? event.role : facts.role };
    default:
      return { ...facts, asOf };
  }
}

function previewOf(event: KlatchEvent | null): Preview | null {
  if (event?.kind !== 'sent') return null;
  const { id, seq, author, body } = event;
  return { id, seq, author, at: event.origin ? (event.claimed_at ?? event.at) : event.at, body };
}

export function previewAfter(last: Preview | null, event: KlatchEvent): Preview | null {
  if (event.kind === 'sent') return last === null || event.seq > last.seq ? previewOf(event) : last;
  if (last === null) return null;
  if (event.kind === 'edited' && event.target.seq === last.seq) return { ...last, body: event.body };
  if (event.kind === 'deleted' && event.target.seq === last.seq) return { ...last, body: null };
  return last;
}
