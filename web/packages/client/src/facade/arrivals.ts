// New messages of others as they arrive live: what notifications are made of.
import type { Arrival } from '../contract/client';
import { conversationItem } from '../project/conversations';
import { pendingIn } from '../project/pending';
import { surroundings, timelineItem } from '../project/timeline';
import type { ServerFrame } from '../protocol/frames';
import { pendingOf } from '../store/pending';
import type { Store } from '../store/store';
import { entryAt } from '../store/timeline/ranges';

export class Arrivals {
  readonly #listeners = new Set<(arrival: Arrival) => void>();

  constructor(private readonly store: Store) {}

  listen(listener: (arrival: Arrival) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** To be called before the store hears of the frame; what it answers is to be called after. */
  before(frame: ServerFrame): () => void {
    if (frame.type !== 'events' || this.#listeners.size === 0) return () => undefined;
    const { conversation } = frame;
    const before = this.store.get().conversations.get(conversation)?.timeline.live.to ?? Infinity;
    return () => {
      for (const { seq } of frame.events) if (seq > before) this.tell(conversation, seq);
    };
  }

  private tell(conversation: string, seq: number): void {
    const state = this.store.get();
    const held = state.conversations.get(conversation);
    if (held === undefined) return;
    const entry = entryAt(held.timeline.ranges, seq);
    if (entry === undefined || state.me === null || state.blocks.has(entry.event.author)) return;
    const pending = pendingOf(state, conversation);
    const around = surroundings(held.timeline.ranges, pendingIn(pending), state.me.id);
    const message = timelineItem(entry, around);
    if (message?.type !== 'message' || message.own) return;
    const arrival = { conversation: conversationItem(held, pending), message };
    for (const listener of [...this.#listeners]) listener(arrival);
  }
}
