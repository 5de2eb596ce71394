// After `ready`: tells the server page by page what is held, so that it tells the rest. A page that is not answered, or
// refused for the moment, is asked for again.
import type { Platform } from '../platform/platform';
import type { ClientFrame, ServerFrame } from '../protocol/frames';
import type { ConversationId, Seq } from '../protocol/ids';
import type { State } from '../store/state';
import type { Store } from '../store/store';

/** LIMIT: conversations in one `sync`, by the protocol. */
const haveMax = 200;
const answerTimeoutMs = 15_000;
const retryMs = 1_000;

export class Sync {
  #after: string | undefined;
  #isRunning = false;
  #cancelTimer: () => void = () => undefined;

  constructor(
    private readonly platform: Pick<Platform, 'after'>,
    private readonly store: Store,
    private readonly send: (frame: ClientFrame) => void,
    /** Every page has come. */
    private readonly synced: () => void,
  ) {}

  start(): void {
    this.#isRunning = true;
    this.#after = undefined;
    this.store.dispatch({ type: 'syncing' });
    this.ask();
  }

  /** The connection went. */
  stop(): void {
    this.#isRunning = false;
    this.#cancelTimer();
  }

  /** After the store has seen the frame. */
  frame(frame: ServerFrame): void {
    if (!this.#isRunning) return;
    if (frame.type === 'error') {
      if (frame.of !== 'sync') return;
      this.askIn(frame.problem.retry_after_ms ?? retryMs);
    } else if (frame.type === 'conversations') {
      this.#after = frame.next ?? undefined;
      if (frame.next !== null) this.ask();
      else this.finish();
    }
  }

  private ask(): void {
    const have = haveOf(this.store.get());
    this.send({ type: 'sync', have, ...(this.#after === undefined ? {} : { after: this.#after }) });
    this.askIn(answerTimeoutMs);
  }

  private askIn(ms: number): void {
    this.#cancelTimer();
    this.#cancelTimer = this.platform.after(ms, () => this.ask());
  }

  private finish(): void {
    this.stop();
    this.synced();
  }
}

/**
 * Pages come newest activity first, so what is held goes in that order too; what was answered already is left out.
 * A conversation that comes on another page than we thought is told without its events: a hole, filled by history.
 */
function haveOf(state: State): Record<ConversationId, Seq> {
  const held = [...state.conversations.values()]
    .filter(({ id, timeline }) => timeline.paged && state.syncing?.has(id) !== true)
    .sort((a, b) => b.head.at - a.head.at)
    .slice(0, haveMax);
  return Object.fromEntries(held.map(({ id, timeline }) => [id, timeline.live.to]));
}
