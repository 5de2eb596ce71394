// A window on a conversation's endless history: one contiguous range of what is held, around the place one asked to see.
import type { Timeline } from '../contract/client';
import type { TimelineItem } from '../contract/items';
import type { Anchor, EdgeState, TimelineSnapshot } from '../contract/states';
import type { History } from '../history/history';
import { isSame } from '../project/message';
import { type Pending, pendingIn } from '../project/pending';
import { itemsOf, surroundings, unsentItems } from '../project/timeline';
import { isChange } from '../protocol/events';
import type { ConversationId, Seq } from '../protocol/ids';
import { asProblem, type Problem } from '../protocol/problem';
import type { ConversationState } from '../store/conversation';
import { pendingOf } from '../store/pending';
import type { State } from '../store/state';
import type { Store } from '../store/store';
import { locate, type Place, rangeFor, seek } from './seek';

type Side = 'older' | 'newer';

/** What the window itself knows; the rest is in the store. */
interface Position {
  readonly place: Place | null;
  readonly phase: TimelineSnapshot['phase'];
  readonly problem: Problem | null;
  readonly focus: { readonly seq: Seq } | null;
  readonly older: 'idle' | 'loading' | 'failed';
  readonly newer: 'idle' | 'loading' | 'failed';
}

const nowhere: Position = {
  ...{ place: null, phase: 'loading', problem: null, focus: null, older: 'idle', newer: 'idle' },
};

/** Not one of one's conversations: never was, or not any more. */
const notFound: Problem = { type: 'not_found', title: 'There is no such conversation', status: 404 };

/** Pages of nothing but reactions are passed over, so many at a time. */
const emptyPagesMax = 5;

export class TimelineWindow implements Timeline {
  #position = nowhere;
  #snapshot: TimelineSnapshot;
  /** The last one that listeners have heard of. */
  #told: TimelineSnapshot | null = null;
  #madeOf: readonly unknown[] = [];
  /** Waits for the conversation to be known. */
  #wanted: Anchor | null;
  /** Counts the places one asked for: what was loaded for an earlier one moves nothing. */
  #generation = 0;
  readonly #extending = new Map<Side, Promise<void>>();
  readonly #listeners = new Set<() => void>();
  readonly #unsubscribe: () => void;

  constructor(
    readonly conversation: ConversationId,
    anchor: Anchor,
    private readonly store: Store,
    private readonly history: History,
    /** Whether all conversations are known. */
    private readonly isSynced: () => boolean,
    private readonly disposed: (window: TimelineWindow) => void,
  ) {
    this.#wanted = anchor;
    const { phase, problem, focus } = nowhere;
    this.#snapshot = { ...{ conversation, phase, problem, focus, items: [], older: 'more', newer: 'more' } };
    this.#unsubscribe = store.subscribe(() => this.changed());
    this.changed();
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly get = (): TimelineSnapshot => {
    const state = this.store.get();
    const held = state.conversations.get(this.conversation);
    const madeOf = [held?.timeline, held?.head.seq, pendingOf(state, this.conversation), this.#position];
    if (!isSame(madeOf, this.#madeOf)) {
      this.#madeOf = madeOf;
      this.#snapshot = this.project(state, held);
    }
    return this.#snapshot;
  };

  goTo(anchor: Anchor): void {
    this.#generation += 1;
    const held = this.held();
    if (held === undefined) {
      this.#wanted = anchor;
      return;
    }
    this.#wanted = null;
    const place = locate(anchor, held);
    if (place === null) void this.seek(anchor, held);
    else this.arrive(place);
  }

  loadOlder(): Promise<void> {
    return this.extend('older');
  }

  loadNewer(): Promise<void> {
    return this.extend('newer');
  }

  dispose(): void {
    this.#generation += 1;
    this.#unsubscribe();
    this.#listeners.clear();
    this.disposed(this);
  }

  /** Synced again: what could not be loaded is tried anew. */
  connected(): void {
    if (this.#position.phase === 'failed' && this.#wanted) this.goTo(this.#wanted);
    this.changed();
  }

  private changed(): void {
    const held = this.held();
    if (held) this.keep(held);
    else if (this.isSynced() && this.#position.problem !== notFound) {
      this.#generation += 1;
      this.#wanted ??= { at: 'latest' };
      this.move({ ...nowhere, phase: 'failed', problem: notFound });
    }
    this.tell();
  }

  private keep(held: ConversationState): void {
    const { phase, place, problem } = this.#position;
    if (this.#wanted && (phase === 'loading' || problem === notFound)) this.goTo(this.#wanted);
    // What was shown is gone from memory, since too much was missed: it is loaded anew.
    else if (place !== null && phase === 'ready' && rangeFor(held, place) === undefined) {
      this.goTo(place === 'latest' ? { at: 'latest' } : { at: 'seq', seq: place });
    }
  }

  private async seek(anchor: Anchor, held: ConversationState): Promise<void> {
    const generation = this.#generation;
    this.move({ phase: 'loading', problem: null });
    try {
      const place = await seek(anchor, held, this.history);
      if (generation === this.#generation) this.arrive(place);
    } catch (error) {
      if (generation !== this.#generation) return;
      this.#wanted = anchor;
      this.move({ phase: 'failed', problem: asProblem(error) });
    }
  }

  private arrive(place: Place): void {
    const focus = place === 'latest' ? null : { seq: place };
    this.move({ place, phase: 'ready', problem: null, focus, older: 'idle', newer: 'idle' });
  }

  private extend(side: Side): Promise<void> {
    const extending =
      this.#extending.get(side) ?? this.extendNow(side).finally(() => this.#extending.delete(side));
    this.#extending.set(side, extending);
    return extending;
  }

  private async extendNow(side: Side): Promise<void> {
    const generation = this.#generation;
    for (let page = 0; page < emptyPagesMax && generation === this.#generation; page += 1) {
      const range = this.range();
      const edge = this.get()[side];
      if (range === undefined || edge === 'end' || (edge === 'loading' && page === 0)) break;
      this.move({ [side]: 'loading' });
      const place = side === 'older' ? { before: range.from } : { after: range.to };
      try {
        const { events } = await this.history.load(this.conversation, place);
        if (events.length === 0 || !events.every(isChange)) break;
      } catch {
        if (generation === this.#generation) this.move({ [side]: 'failed' });
        return;
      }
    }
    if (generation === this.#generation) this.move({ [side]: 'idle' });
  }

  private project(state: State, held: ConversationState | undefined): TimelineSnapshot {
    const { phase, problem, focus, place } = this.#position;
    const items = this.items(state, held);
    const shown = isSame(items, this.#snapshot.items) ? this.#snapshot.items : items;
    const range = held && place !== null ? rangeFor(held, place) : undefined;
    const first = held?.timeline.first ?? 1;
    const older = range && range.from <= first ? 'end' : edgeOf(this.#position.older);
    const newer = newerEdge(held, range?.to, this.#position.newer);
    return { conversation: this.conversation, phase, problem, focus, items: shown, older, newer };
  }

  private items(state: State, held: ConversationState | undefined): readonly TimelineItem[] {
    if (held === undefined || state.me === null) return [];
    const { place } = this.#position;
    const range = place === null ? undefined : rangeFor(held, place);
    const pending = pendingIn(pendingOf(state, this.conversation));
    const around = surroundings(held.timeline.ranges, pending, state.me.id);
    const settled = range ? itemsOf(range, around) : this.shownBefore(pending);
    const isAtEnd = range === undefined || range.to === held.timeline.live.to;
    return isAtEnd ? [...settled, ...unsentItems(pending.sends, around)] : settled;
  }

  /** Until there is something else to show, what was shown stays, but for one's own that is still on its way: that is shown below it. */
  private shownBefore({ sends }: Pending): readonly TimelineItem[] {
    const underWay = new Set<string>(sends.map(({ id }) => id));
    return this.#snapshot.items.filter(({ seq, key }) => seq !== null && !underWay.has(key));
  }

  private range() {
    const held = this.held();
    const { place } = this.#position;
    return held && place !== null ? rangeFor(held, place) : undefined;
  }

  private held(): ConversationState | undefined {
    return this.store.get().conversations.get(this.conversation);
  }

  private move(position: Partial<Position>): void {
    this.#position = { ...this.#position, ...position };
    this.tell();
  }

  private tell(): void {
    const snapshot = this.get();
    if (snapshot === this.#told) return;
    this.#told = snapshot;
    for (const listener of [...this.#listeners]) listener();
  }
}

function edgeOf(state: 'idle' | 'loading' | 'failed'): EdgeState {
  return state === 'idle' ? 'more' : state;
}

/** At the end of the stream there is nothing newer, unless events were missed: these are on their way by themselves. */
function newerEdge(
  held: ConversationState | undefined,
  to: Seq | undefined,
  own: 'idle' | 'loading' | 'failed',
): EdgeState {
  if (held === undefined || to === undefined || to < held.timeline.live.to) return edgeOf(own);
  return held.timeline.live.to < held.head.seq ? 'loading' : 'end';
}
