// From JSON to the protocol's types. The server is trusted to keep its types, but may be newer than this client: kinds
// and body types that are not known become 'unsupported', frames that are not known become null, absent lists are empty.
import type { Body, KlatchEvent } from './events';
import type { ServerFrame } from './frames';
import type { MessageLink, Millis, Seq, UserId } from './ids';
import type { Conversation } from './objects';
import type { HistoryPage, Overlay, PinsPage } from './rest';

type Json = Record<string, unknown>;

const frameTypes = new Set([
  ...[
    'ready',
    'conversations',
    'conversation',
    'events',
    'accepted',
    'committed',
    'rejected',
    'head',
    'cursor',
  ],
  ...['typing', 'presence', 'user', 'account', 'error', 'pong'],
]);

const eventKinds = new Set([
  ...['created', 'changed', 'joined', 'left', 'removed', 'role_set'],
  ...['sent', 'edited', 'deleted', 'reacted', 'unreacted', 'pinned', 'unpinned'],
]);

/** Null for what is not a frame, or not one that this client knows: to be ignored. */
export function decodeFrame(text: string): ServerFrame | null {
  const json = parse(text);
  if (!isObject(json) || typeof json.type !== 'string' || !frameTypes.has(json.type)) return null;
  switch (json.type) {
    case 'conversations':
      return {
        ...(json as unknown as Extract<ServerFrame, { type: 'conversations' }>),
        items: list(json.items).map(decodeConversation),
        gone: list<string>(json.gone),
        next: typeof json.next === 'string' ? json.next : null,
      };
    case 'conversation':
      return { type: 'conversation', item: decodeConversation(json.item as Json) };
    case 'events':
      return {
        type: 'events',
        conversation: String(json.conversation),
        events: list(json.events).map(decodeEvent),
      };
    default:
      return json as unknown as ServerFrame;
  }
}

export function decodeConversation(json: Json): Conversation {
  const item = { ...json } as unknown as Conversation;
  item.last = isObject(json.last) ? decodeEvent(json.last) : null;
  if (Array.isArray(json.events)) item.events = list(json.events).map(decodeEvent);
  return item;
}

export function decodeHistory(json: Json): HistoryPage {
  return {
    events: list(json.events).map(decodeEvent),
    overlay: decodeOverlays(json.overlay),
    head: json.head as Seq,
    first: typeof json.first === 'number' ? json.first : 1,
  };
}

export function decodePins(json: Json): PinsPage {
  return { items: list(json.items).map(decodeEvent), overlay: decodeOverlays(json.overlay) };
}

export function decodeEvent(json: Json): KlatchEvent {
  const kind = String(json.kind);
  if (!eventKinds.has(kind)) {
    const base = json as unknown as { seq: Seq; id: string; author: UserId; at: Millis; worthy: number };
    const { seq, id, author, at, worthy } = base;
    return { kind: 'unsupported', seq, id, author, at, worthy };
  }
  const event = { ...json } as unknown as KlatchEvent;
  if (event.kind === 'sent' || event.kind === 'edited') {
    event.body = decodeBody(json.body);
    event.mentions = list<UserId>(json.mentions);
  }
  if (event.kind === 'sent') event.replies = list<MessageLink>(json.replies);
  return event;
}

function decodeOverlays(json: unknown): Record<string, Overlay> {
  const overlays: Record<string, Overlay> = {};
  for (const [seq, value] of Object.entries(isObject(json) ? json : {})) {
    const overlay = { ...(value as Overlay) };
    if (overlay.edited) {
      const { edited } = overlay;
      overlay.edited = { ...edited, body: decodeBody(edited.body), mentions: list<UserId>(edited.mentions) };
    }
    overlays[seq] = overlay;
  }
  return overlays;
}

function decodeBody(json: unknown): Body | null {
  if (!isObject(json)) return null;
  const { type, text, emote } = json;
  if (type === 'text' && typeof text === 'string') return { type, text, emote: emote === true };
  if (type === 'notice' && typeof text === 'string') return { type, text };
  return { type: 'unsupported' };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function list<T = Json>(value: unknown): T[] {
  return Array.isArray(value) ? (value as T[]) : [];
}
