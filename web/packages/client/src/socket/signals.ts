// Signals to the server that need not last: typing, presence, what is watched and open. What stands for a state is said again
// after each connect.
import type { Platform } from '../platform/platform';
import type { ClientFrame } from '../protocol/frames';
import type { ConversationId, Millis, UserId } from '../protocol/ids';

/** LIMITS of the protocol. */
const watchMax = 200;
const openMax = 20;

const typingRepeatMs = 4_000;

export class Signals {
  #presence: 'online' | 'away' = 'online';
  #watched: readonly UserId[] = [];
  #open: readonly ConversationId[] = [];
  readonly #typingSince = new Map<ConversationId, Millis>();

  constructor(
    private readonly platform: Pick<Platform, 'now'>,
    private readonly send: (frame: ClientFrame) => void,
  ) {}

  /** After each `ready`. */
  connected(): void {
    this.#typingSince.clear();
    if (this.#presence === 'away') this.send({ type: 'presence', state: 'away' });
    if (this.#watched.length > 0) this.send({ type: 'watch', users: [...this.#watched] });
    if (this.#open.length > 0) this.send({ type: 'open', conversations: [...this.#open] });
  }

  stop(): void {
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

  typing(conversation: ConversationId, on: boolean): void {
    const now = this.platform.now();
    const since = this.#typingSince.get(conversation);
    if (on && since !== undefined && now - since < typingRepeatMs) return;
    if (!on && since === undefined) return;
    if (on) this.#typingSince.set(conversation, now);
    else this.#typingSince.delete(conversation);
    this.send({ type: 'typing', conversation, on });
  }
}
