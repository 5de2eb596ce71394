// Pages of history by REST, into the store. The same page is never asked for twice at the same time.
import { decodeConversation, decodeHistory } from '../protocol/decode';
import type { KlatchEvent } from '../protocol/events';
import type { ConversationId, Millis, Seq } from '../protocol/ids';
import type { HistoryPage } from '../protocol/rest';
import type { Api } from '../session/api';
import type { Store } from '../store/store';
import { isStale } from '../store/timeline/timeline';

export type Place =
  | { newest: true }
  /** Exclusive, both. */
  | { before: Seq }
  | { after: Seq }
  | { around: Seq }
  | { at: Millis };

const pageSize = 100;
/** While much is happening a page may be older than what live knows; it is asked for again. */
const staleMax = 3;

export class History {
  readonly #underWay = new Map<string, Promise<HistoryPage>>();

  constructor(
    private readonly api: Api,
    private readonly store: Store,
    private readonly now: () => Millis,
    /** Hears of what was loaded, after the store. */
    private readonly loaded: (events: readonly KlatchEvent[]) => void,
  ) {}

  load(conversation: ConversationId, place: Place, limit = pageSize): Promise<HistoryPage> {
    const key = JSON.stringify([conversation, place, limit]);
    const loading =
      this.#underWay.get(key) ??
      this.loadNow(conversation, place, limit).finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, loading);
    return loading;
  }

  /** The seq of a message known by its id. */
  async seqOf(conversation: ConversationId, message: string): Promise<Seq> {
    const path = `/conversations/${conversation}/messages/${message}`;
    return (await this.api.get<{ seq: Seq }>(path)).seq;
  }

  /** Asks where a conversation stands, and forgets what was held of it. */
  async refresh(conversation: ConversationId): Promise<void> {
    const item = decodeConversation(await this.api.get(`/conversations/${conversation}`));
    const frame = { type: 'conversation', item: { ...item, afresh: true } } as const;
    this.store.dispatch({ type: 'frame', frame, now: this.now() });
  }

  private async loadNow(conversation: ConversationId, place: Place, limit: number): Promise<HistoryPage> {
    const query = { ...('newest' in place ? {} : place), limit };
    for (let attempt = 1; ; attempt += 1) {
      const path = `/conversations/${conversation}/events`;
      const page = decodeHistory(await this.api.get(path, query));
      const held = this.store.get().conversations.get(conversation);
      if (held && isStale(held.timeline, page) && attempt < staleMax) continue;
      this.store.dispatch({ type: 'page', conversation, page });
      this.loaded(page.events);
      return page;
    }
  }
}
