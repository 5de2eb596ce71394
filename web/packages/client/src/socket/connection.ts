// The connection as a state machine: connecting → online → offline → connecting …, until signed out or refused.
// It knows how to come back, not what is said: frames go to a listener.
import { backoff } from '../backoff';
import type { ConnectionState } from '../contract/states';
import type { Platform } from '../platform/platform';
import { closeAdvice } from '../protocol/close';
import type { ClientFrame, ReadyFrame, ServerFrame } from '../protocol/frames';
import type { Millis } from '../protocol/ids';
import { ProblemError } from '../protocol/problem';
import type { Readable } from '../readable';
import type { Tokens } from '../session/api';
import { Variable } from '../store/store';
import { Link } from './link';

export interface ConnectionEvents {
  ready(frame: ReadyFrame): void;
  frame(frame: ServerFrame): void;
  /** What was sent and not answered may be lost. */
  lost(): void;
  sessionEnded(reason: 'ended' | 'account-closed'): void;
}

export class Connection {
  readonly #state = new Variable<ConnectionState>({ state: 'connecting' });
  readonly state: Readable<ConnectionState> = this.#state;
  #link: Link | null = null;
  #attempt = 0;
  #offlineSince: Millis | null = null;
  #cancelRetry: () => void = () => undefined;
  /** Counts what was begun, so that an answer to something given up is not taken. */
  #generation = 0;
  readonly #stopNetwork: () => void;

  constructor(
    private readonly platform: Platform,
    private readonly url: string,
    private readonly tokens: Tokens,
    private readonly events: ConnectionEvents,
  ) {
    this.#stopNetwork = platform.network.onChange(() => this.networkChanged());
  }

  /** Connects, from whatever state. */
  start(): void {
    this.reset();
    this.#attempt = 0;
    void this.connect();
  }

  /** Nobody is signed in: there is nothing to connect for. */
  signedOut(): void {
    this.reset();
    this.#offlineSince = null;
    this.#state.set({ state: 'signed-out' });
  }

  stop(): void {
    this.reset();
    this.#stopNetwork();
  }

  tryNow(): void {
    if (this.#state.get().state === 'offline') this.start();
  }

  synced(): void {
    if (this.isOnline()) this.#state.set({ state: 'online', synced: true });
  }

  isOnline(): boolean {
    return this.#state.get().state === 'online';
  }

  isSynced(): boolean {
    const state = this.#state.get();
    return state.state === 'online' && state.synced;
  }

  /** Frames for which nobody is there are dropped: what matters is said again after `ready`. */
  send(frame: ClientFrame): void {
    this.#link?.send(frame);
  }

  private async connect(): Promise<void> {
    const generation = this.#generation;
    this.#state.set({ state: 'connecting' });
    try {
      const token = await this.tokens.get();
      if (generation === this.#generation) this.open(token);
    } catch (error) {
      if (generation !== this.#generation) return;
      const ended = error instanceof ProblemError && error.problem.status === 401;
      if (ended) this.signedOut();
      else this.wait();
    }
  }

  private open(token: string): void {
    this.#link = new Link(this.platform, this.url, token, {
      ready: (frame) => {
        this.#attempt = 0;
        this.#offlineSince = null;
        this.#state.set({ state: 'online', synced: false });
        this.events.ready(frame);
      },
      frame: (frame) => this.events.frame(frame),
      closed: (code) => this.closed(code, token),
    });
  }

  private closed(code: number, token: string): void {
    this.#link = null;
    this.events.lost();
    const advice = closeAdvice(code);
    switch (advice) {
      case 'afresh':
        this.tokens.refused(token);
        this.wait();
        return;
      case 'resume':
        this.wait();
        return;
      case 'signed-out':
      case 'account-closed':
        this.events.sessionEnded(advice === 'signed-out' ? 'ended' : advice);
        return;
      default:
        this.#state.set({ state: 'refused', reason: advice });
    }
  }

  private wait(): void {
    const now = this.platform.now();
    this.#offlineSince ??= now;
    const since = this.#offlineSince;
    // No timer while the browser knows that there is no network: its `online` event starts the next try.
    if (!this.platform.network.isOnline()) {
      this.#state.set({ state: 'offline', since, nextTryAt: null });
      return;
    }
    const delay = backoff(this.#attempt, this.platform.random);
    this.#attempt += 1;
    this.#state.set({ state: 'offline', since, nextTryAt: now + delay });
    this.#cancelRetry = this.platform.after(delay, () => void this.connect());
  }

  private networkChanged(): void {
    if (this.isOnline()) this.#link?.networkChanged();
    else if (this.platform.network.isOnline()) this.tryNow();
  }

  private reset(): void {
    this.#generation += 1;
    this.#cancelRetry();
    const link = this.#link;
    this.#link = null;
    if (link === null) return;
    link.close();
    this.events.lost();
  }
}
