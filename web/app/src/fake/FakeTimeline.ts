import type { Anchor, Timeline, TimelineSnapshot } from '@klatch/client';
import { storeOf } from '../support/store';
import type { FakeLog } from './FakeLog';

const page = 100;
const answerMs = 180;

const wait = () => new Promise((resolve) => setTimeout(resolve, answerMs));

/** One contiguous window on a made-up log, which takes a moment to load as a real one does. */
export class FakeTimeline implements Timeline {
  private readonly store;
  private from = 1;
  private to = 0;

  constructor(
    private readonly log: FakeLog,
    private readonly readSeq: () => number,
    anchor: Anchor = { at: 'unread' },
  ) {
    this.store = storeOf<TimelineSnapshot>({
      conversation: log.id,
      phase: 'loading',
      problem: null,
      items: [],
      focus: null,
      older: 'more',
      newer: 'more',
    });
    this.settle(anchor);
  }

  get = (): TimelineSnapshot => this.store.get();
  subscribe = (listener: () => void): (() => void) => this.store.subscribe(listener);

  goTo(anchor: Anchor): void {
    this.store.update((last) => ({ ...last, phase: 'loading' }));
    void wait().then(() => this.settle(anchor));
  }

  async loadOlder(): Promise<void> {
    this.store.update((last) => ({ ...last, older: 'loading' }));
    await wait();
    this.from = Math.max(1, this.from - page);
    this.draw();
  }

  async loadNewer(): Promise<void> {
    this.store.update((last) => ({ ...last, newer: 'loading' }));
    await wait();
    this.to = Math.min(this.log.head, this.to + page);
    this.draw();
  }

  dispose(): void {
    // Nothing is held.
  }

  /** The log has grown or changed. */
  follow(): void {
    if (this.to >= this.log.head - 1) this.to = this.log.head;
    this.draw();
  }

  private settle(anchor: Anchor): void {
    const seq = this.seqOf(anchor);
    this.from = Math.max(1, seq - page / 2);
    this.to = Math.min(this.log.head, seq + page / 2);
    this.draw({ seq });
  }

  private seqOf(anchor: Anchor): number {
    switch (anchor.at) {
      case 'seq':
        return anchor.seq;
      case 'message':
        return this.log.find(anchor.id)?.seq ?? this.log.head;
      case 'unread':
        return this.readSeq();
      case 'date':
        return this.firstFrom(anchor.ms);
      case 'latest':
        return this.log.head;
    }
  }

  private firstFrom(ms: number): number {
    let low = 1;
    let high = this.log.head;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (this.log.at(middle).at < ms) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private draw(focus = this.store.get().focus): void {
    const atEnd = this.to >= this.log.head;
    this.store.set({
      conversation: this.log.id,
      phase: 'ready',
      problem: null,
      items: [...this.log.range(this.from, this.to), ...this.log.unsent],
      focus,
      older: this.from <= 1 ? 'end' : 'more',
      newer: atEnd ? 'end' : 'more',
    });
  }
}
