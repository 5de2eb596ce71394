// One event of a timeline and, if it is a message, what later events made of it. An entry is derived from facts that may
// come in any order and more than once (pages with overlays, live changes), and comes out the same: see `combine`.
import { type Body, type ChangeEvent, isChange, type KlatchEvent } from '../../protocol/events';
import type { Millis, Seq, UserId } from '../../protocol/ids';
import type { Overlay, OverlayReaction } from '../../protocol/rest';

export interface Entry {
  readonly event: KlatchEvent;
  /** What the server said of it, if it did. */
  readonly overlay: Overlay | null;
  /** Every change after the overlay that was seen, by seq. */
  readonly changes: readonly ChangeEvent[];
  /** What overlay and changes come to; null if the event is not a message. */
  readonly view: MessageView | null;
}

export interface MessageView {
  readonly body: Body | null;
  readonly mentions: readonly UserId[];
  readonly edited: { readonly at: Millis } | null;
  readonly deleted: { readonly at: Millis; readonly by: UserId } | null;
  readonly reactions: readonly OverlayReaction[];
  readonly pinned: { readonly at: Millis; readonly by: UserId } | null;
}

/** At most so many of those who reacted are named. */
const namedReactorsMax = 20;

export function entryOf(event: KlatchEvent, overlay: Overlay | null, reader: UserId): Entry {
  return derive(event, overlay, [], reader);
}

/** Up to where the changes are in the overlay. Later ones are in `changes`, as far as they were seen. */
export function asOf(entry: Entry): Seq {
  return entry.overlay?.as_of ?? entry.event.seq;
}

export function withChange(entry: Entry, change: ChangeEvent, reader: UserId): Entry {
  if (entry.view === null || change.seq <= asOf(entry)) return entry;
  if (entry.changes.some((known) => known.seq === change.seq)) return entry;
  return derive(entry.event, entry.overlay, [...entry.changes, change].sort(bySeq), reader);
}

/** The same event from two sources: the newer overlay, and the changes of both that are not in it. */
export function combine(a: Entry, b: Entry, reader: UserId): Entry {
  const [newer, older] = asOf(b) >= asOf(a) ? [b, a] : [a, b];
  const since = asOf(newer);
  const known = new Set(newer.changes.map((change) => change.seq));
  const missing = older.changes.filter((change) => change.seq > since && !known.has(change.seq));
  if (newer === a && missing.length === 0) return a;
  return derive(newer.event, newer.overlay, [...newer.changes, ...missing].sort(bySeq), reader);
}

function derive(
  event: KlatchEvent,
  overlay: Overlay | null,
  changes: readonly ChangeEvent[],
  reader: UserId,
): Entry {
  if (event.kind !== 'sent') return { event, overlay, changes, view: null };
  const base: MessageView = {
    body: overlay?.edited ? overlay.edited.body : event.body,
    mentions: overlay?.edited?.mentions ?? event.mentions,
    edited: overlay?.edited ? { at: overlay.edited.at } : null,
    deleted: overlay?.deleted ? { at: overlay.deleted.at, by: overlay.deleted.by } : null,
    reactions: overlay?.reactions ?? [],
    pinned: overlay?.pinned ?? null,
  };
  const view = changes.reduce((folded, change) => changed(folded, change, reader), base);
  if (view.deleted === null) return { event, overlay, changes, view };
  // What is deleted is not kept in memory either.
  const trace = { ...view, body: null, mentions: [], reactions: [], pinned: null, edited: null };
  return { event: { ...event, body: null, erased: true }, overlay, changes, view: trace };
}

/** One change, whatever its order: the caller folds by seq. Also shows a change that is still on its way. */
export function changed(view: MessageView, change: ChangeLike, reader: UserId): MessageView {
  switch (change.kind) {
    case 'edited':
      return { ...view, body: change.body, mentions: change.mentions, edited: { at: change.at } };
    case 'deleted':
      return { ...view, deleted: { at: change.at, by: change.author } };
    case 'reacted':
    case 'unreacted':
      return { ...view, reactions: reacted(view.reactions, change, reader) };
    case 'pinned':
      return { ...view, pinned: { at: change.at, by: change.author } };
    case 'unpinned':
      return { ...view, pinned: null };
  }
}

/** What a change must tell to be shown. */
export type ChangeLike =
  | { kind: 'edited'; body: Body | null; mentions: UserId[]; at: Millis; author: UserId }
  | { kind: 'reacted' | 'unreacted'; emoji: string; at: Millis; author: UserId }
  | { kind: 'deleted' | 'pinned' | 'unpinned'; at: Millis; author: UserId };

function reacted(
  reactions: readonly OverlayReaction[],
  change: { kind: 'reacted' | 'unreacted'; emoji: string; author: UserId },
  reader: UserId,
): readonly OverlayReaction[] {
  const { emoji, author } = change;
  const on = change.kind === 'reacted';
  const before = reactions.find((reaction) => reaction.emoji === emoji);
  const already = before !== undefined && (author === reader ? before.me : before.users.includes(author));
  if (on && already) return reactions;
  if (!on && (before === undefined || (author === reader && !before.me))) return reactions;
  if (before === undefined) {
    return [...reactions, { emoji, count: 1, users: [author], me: author === reader }];
  }
  const others = before.users.filter((user) => user !== author);
  const after: OverlayReaction = {
    emoji,
    count: before.count + (on ? 1 : -1),
    users: on && others.length < namedReactorsMax ? [...others, author] : others,
    me: author === reader ? on : before.me,
  };
  return reactions.flatMap((reaction) => {
    if (reaction.emoji !== emoji) return [reaction];
    return after.count > 0 ? [after] : [];
  });
}

export function changesOf(entries: readonly Entry[]): ChangeEvent[] {
  return entries.map((entry) => entry.event).filter(isChange);
}

function bySeq(a: ChangeEvent, b: ChangeEvent): number {
  return a.seq - b.seq;
}
