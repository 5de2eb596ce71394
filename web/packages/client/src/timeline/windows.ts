// The windows that are open in this tab: what nobody looks at any more is let go of.
import type { Anchor } from '../contract/states';
import type { History } from '../history/history';
import type { ConversationId } from '../protocol/ids';
import type { Store } from '../store/store';
import { held, idleEventsMax } from '../store/timeline/timeline';
import { TimelineWindow } from './window';

export class Windows {
  readonly #open = new Set<TimelineWindow>();

  constructor(
    private readonly store: Store,
    private readonly history: History,
    private readonly isSynced: () => boolean,
  ) {}

  open(conversation: ConversationId, anchor: Anchor): TimelineWindow {
    const { store, history, isSynced } = this;
    const window = new TimelineWindow(conversation, anchor, store, history, isSynced, (disposed) => {
      this.#open.delete(disposed);
      if (!this.has(conversation)) store.dispatch({ type: 'trim', conversation });
    });
    this.#open.add(window);
    return window;
  }

  has(conversation: ConversationId): boolean {
    return [...this.#open].some((window) => window.conversation === conversation);
  }

  /** Live events came: of what nobody looks at, only so much is kept. */
  tidy(conversation: ConversationId): void {
    const timeline = this.store.get().conversations.get(conversation)?.timeline;
    if (timeline === undefined || this.has(conversation) || held(timeline) <= idleEventsMax) return;
    this.store.dispatch({ type: 'trim', conversation });
  }

  connected(): void {
    for (const window of this.#open) window.connected();
  }
}
