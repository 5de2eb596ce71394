// One's own cursors: how far one has read and received. Gathered, and told until the server says that it is so.
import type { Platform } from '../platform/platform';
import type { ClientFrame, ServerFrame } from '../protocol/frames';
import type { ConversationId, Seq } from '../protocol/ids';
import type { Conversation, ReadCursor } from '../protocol/objects';
import type { Store } from '../store/store';

const gatherMs = 300;
/** LIMIT: of how many conversations one says after coming back that what was said meanwhile has arrived. */
const arrivedMax = 50;

export class Cursors {
  /** Where one wants to have read to, and has not heard yet that it is so. */
  readonly #wishes = new Map<ConversationId, { readonly seq: Seq; readonly back: boolean }>();
  /** To be told next. */
  readonly #moved = new Set<ConversationId>();
  #cancelFlush: (() => void) | null = null;

  constructor(
    private readonly platform: Pick<Platform, 'after'>,
    private readonly store: Store,
    private readonly send: (frame: ClientFrame) => void,
    private readonly isOnline: () => boolean,
  ) {}

  read(conversation: ConversationId, seq: Seq, back: boolean): void {
    const before = this.readOf(conversation);
    this.store.dispatch({ type: 'read', conversation, seq, back });
    const after = this.readOf(conversation);
    if (after === undefined || after === before) return;
    this.#wishes.set(conversation, { seq: after.seq, back });
    this.tellSoon(conversation);
  }

  /** What was told before the connection went may not have been heard. */
  synced(): void {
    for (const conversation of [...this.#wishes.keys()]) {
      this.insist(conversation);
      this.tellSoon(conversation);
    }
  }

  frame(frame: ServerFrame): void {
    if (frame.type === 'cursor' && frame.read && frame.user === this.store.get().me?.id) {
      // If the store holds a later version, the answer to our last wish is still on its way.
      const isLatest = frame.read.version >= (this.readOf(frame.conversation)?.version ?? 0);
      if (isLatest && !this.insist(frame.conversation)) this.#wishes.delete(frame.conversation);
    }
    if (frame.type === 'events') this.received(frame.conversation, frame.events);
    if (frame.type === 'conversations') this.caughtUp(frame.items);
  }

  stop(): void {
    this.#cancelFlush?.();
    this.#cancelFlush = null;
    this.#wishes.clear();
    this.#moved.clear();
  }

  /** Another device moved the cursor at the same time, and its word came first: forward we still want to go. */
  private insist(conversation: ConversationId): boolean {
    const wish = this.#wishes.get(conversation);
    const read = this.readOf(conversation);
    if (wish === undefined || read === undefined || wish.back || read.seq >= wish.seq) return false;
    this.read(conversation, wish.seq, false);
    return true;
  }

  /** Large rooms are not told what each of their members has received. */
  private received(conversation: ConversationId, events: readonly { author: string }[]): void {
    const { me, conversations } = this.store.get();
    const isNews = events.some((event) => event.author !== me?.id);
    const kind = conversations.get(conversation)?.facts.kind;
    if (isNews && kind !== undefined && kind !== 'channel') this.tellSoon(conversation);
  }

  /** What was said while one was away has arrived now. */
  private caughtUp(items: readonly Conversation[]): void {
    const news = items.filter((item) => item.kind !== 'channel' && item.delivered < item.head.seq);
    for (const { id } of news.slice(0, arrivedMax)) this.tellSoon(id);
  }

  private tellSoon(conversation: ConversationId): void {
    this.#moved.add(conversation);
    this.#cancelFlush ??= this.platform.after(gatherMs, () => this.flush());
  }

  private flush(): void {
    this.#cancelFlush = null;
    if (!this.isOnline()) return;
    for (const conversation of this.#moved) {
      const state = this.store.get().conversations.get(conversation);
      if (state === undefined) continue;
      const { seq, version } = state.read;
      this.send({
        ...{ type: 'cursor', conversation, delivered: state.timeline.live.to },
        ...(this.#wishes.has(conversation) ? { read: { seq, version } } : {}),
      });
    }
    this.#moved.clear();
  }

  private readOf(conversation: ConversationId): ReadCursor | undefined {
    return this.store.get().conversations.get(conversation)?.read;
  }
}
