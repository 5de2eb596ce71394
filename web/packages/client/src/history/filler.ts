// Fills holes: where the stream has skipped events, history brings them if somebody has looked at the conversation; else it is
// enough to be told anew where it stands.
import { backoff } from '../backoff';
import type { Platform } from '../platform/platform';
import type { ConversationId } from '../protocol/ids';
import type { ConversationState } from '../store/conversation';
import type { Store } from '../store/store';
import type { History } from './history';

/** Further behind than this it is better to forget what is held, and begin with the newest page. */
const gapMax = 500;
const pageSize = 200;

export class Filler {
  readonly #busy = new Set<ConversationId>();
  readonly #unsubscribe: () => void;
  #checked: unknown;
  #stopped = false;

  constructor(
    private readonly platform: Pick<Platform, 'after' | 'random'>,
    private readonly store: Store,
    private readonly history: History,
    private readonly isOnline: () => boolean,
    /** Whether it is on the screen: then a mere `head` is reason enough to fill. */
    private readonly isOpen: (conversation: ConversationId) => boolean,
  ) {
    this.#unsubscribe = store.subscribe(() => this.check());
  }

  stop(): void {
    this.#stopped = true;
    this.#unsubscribe();
  }

  /** Looks for holes; to be called also when connected again, or when something was opened. */
  check(again = false): void {
    const { conversations } = this.store.get();
    if (this.#stopped || (conversations === this.#checked && !again)) return;
    this.#checked = conversations;
    if (!this.isOnline()) return;
    for (const [id, state] of conversations) {
      if (!this.#busy.has(id) && this.isBehind(state)) void this.fill(id);
    }
  }

  private isBehind({ id, hole, head, timeline }: ConversationState): boolean {
    return timeline.live.to < head.seq && (hole || (timeline.paged && this.isOpen(id)));
  }

  private async fill(id: ConversationId): Promise<void> {
    this.#busy.add(id);
    for (let attempt = 0; !this.#stopped && this.isOnline(); attempt += 1) {
      const state = this.store.get().conversations.get(id);
      if (state === undefined || !this.isBehind(state)) break;
      const isFilled = await this.step(state).then(
        () => true,
        () => false,
      );
      if (isFilled) attempt = 0;
      else await this.pause(attempt);
    }
    this.#busy.delete(id);
  }

  private async step({ id, head, timeline }: ConversationState): Promise<void> {
    const { to } = timeline.live;
    if (timeline.paged && head.seq - to <= gapMax) {
      await this.history.load(id, { after: to }, pageSize);
    } else {
      await this.history.refresh(id);
    }
  }

  private pause(attempt: number): Promise<void> {
    return new Promise((resolve) => this.platform.after(backoff(attempt, this.platform.random), resolve));
  }
}
