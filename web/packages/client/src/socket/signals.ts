// Signals to the server that need not last: cursors, typing, presence, what is watched and open. Gathered so that a fast
// typist or scroller sends little, and said again after each connect where they stand for a state.
import type { Platform } from '../platform/platform';
import type { ClientFrame, ServerFrame } from '../protocol/frames';
import type { ConversationId, Millis, Seq, UserId } from '../protocol/ids';
import type { Store } from '../store/store';

/** LIMITS of the protocol. */
const watchMax = 200;
const openMax = 20;

const gatherMs = 300;
const typingRepeatMs = 4_000;

export class Signals {
  #presence: 'online' | 'away' = 'online';
  #watched: readonly UserId[] = [];
  #open: readonly ConversationId[] = [];
  /** Read cursors moved here and not confirmed by the server's own word. */
  readonly #unconfirmed = new Set<ConversationId>();
  /** Cursors to tell with the next flush. */
  readonly #moved = new Set<ConversationId>();
  readonly #typingSince = new Map<ConversationId, Millis>();
  #cancelFlush: (() => void) | null = null;

  constructor(
    private readonly platform: Pick<Platform, 'now' | 'after'>,
    private readonly store: Store,
    private readonly send: (frame: ClientFrame) => void,
    private readonly isOnline: () => boolean,
  ) {}

  /** After each `ready`. */
  connected(): void {
    this.#typingSince.clear();
    if (this.#presence === 'away') this.send({ type: 'presence', state: 'away' });
    if (this.#watched.length > 0) this.send({ type: 'watch', users: [...this.#watched] });
    if (this.#open.length > 0) this.send({ type: 'open', conversations: [...this.#open] });
    for (const conversation of this.#unconfirmed) this.#moved.add(conversation);
    this.flushSoon();
  }

  stop(): void {
    this.#cancelFlush?.();
    this.#cancelFlush = null;
    this.#unconfirmed.clear();
    this.#moved.clear();
    this.#watched = [];
    this.#open = [];
  }

  presence(state: 'online' | 'away'): void {
    if (state === this.#presence) return;
    this.#presence = state;
    this.send({ type: 'presence', state });
  }

  watch(users: readonly UserId[]): void {
    this.#watched = users.slice(0, watchMax);
    this.send({ type: 'watch', users: [...this.#watched] });
  }

  open(conversations: readonly ConversationId[]): void {
    this.#open = conversations.slice(0, openMax);
    this.send({ type: 'open', conversations: [...this.#open] });
  }

  isOpen(conversation: ConversationId): boolean {
    return this.#open.includes(conversation);
  }

  read(conversation: ConversationId, seq: Seq, back: boolean): void {
    const before = this.store.get().conversations.get(conversation)?.read;
    this.store.dispatch({ type: 'read', conversation, seq, back });
    if (this.store.get().conversations.get(conversation)?.read === before) return;
    this.#unconfirmed.add(conversation);
    this.#moved.add(conversation);
    this.flushSoon();
  }

  /** What came live was received; large rooms are not told of it. */
  frame(frame: ServerFrame): void {
    const { me, conversations } = this.store.get();
    if (frame.type === 'cursor' && frame.read && frame.user === me?.id)
      this.#unconfirmed.delete(frame.conversation);
    if (frame.type !== 'events') return;
    if (conversations.get(frame.conversation)?.facts.kind === 'channel') return;
    if (frame.events.every((event) => event.author === me?.id)) return;
    this.#moved.add(frame.conversation);
    this.flushSoon();
  }

  typing(conversation: ConversationId, on: boolean): void {
    const now = this.platform.now();
    const since = this.#typingSince.get(conversation);
    if (on && since !== undefined && now - since < typingRepeatMs) return;
    if (!on && since === undefined) return;
    if (on) this.#typingSince.set(conversation, now);
    else this.#typingSince.delete(conversation);
    this.send({ type: 'typing', conversation, on });
  }

  private flushSoon(): void {
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
        ...(this.#unconfirmed.has(conversation) ? { read: { seq, version } } : {}),
      });
    }
    this.#moved.clear();
  }
}
