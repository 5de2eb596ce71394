// What the library asks of the world it runs in. A browser answers in `browser.ts`; tests answer with a clock of their own
// and several "tabs" in one process.
import type { Millis } from '../protocol/ids';

export interface Platform {
  readonly now: () => Millis;
  /** From 0 up to but not 1. */
  readonly random: () => number;
  readonly randomBytes: (count: number) => Uint8Array;
  /** Calls once, later. Returns how to take it back. */
  readonly after: (ms: Millis, action: () => void) => () => void;
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  readonly openSocket: (url: string, listeners: SocketListeners) => Socket;
  readonly network: Network;
  readonly locks: Locks;
  readonly openChannel: (name: string) => Channel;
  /** Whether the cookie of a session may be there: it cannot be read itself, but the server puts a sign beside it. */
  readonly maybeSignedIn: () => boolean;
}

/** A WebSocket, with its listeners given at the opening. */
export interface Socket {
  send(text: string): void;
  close(): void;
}

export interface SocketListeners {
  opened(): void;
  received(text: string): void;
  closed(code: number): void;
}

/** What the browser believes about the network; `online` may well be wrong, `offline` hardly. */
export interface Network {
  readonly isOnline: () => boolean;
  readonly onChange: (listener: () => void) => () => void;
}

/** Locks held by one tab at a time. */
export interface Locks {
  /** Runs `action` while holding `name`, once it is free. */
  readonly run: <T>(name: string, action: () => Promise<T>) => Promise<T>;
  /** Holds `name` from the time it is free until released; `held` is called when that begins. */
  readonly hold: (name: string, held: () => void) => () => void;
}

/** Messages to the other tabs of this browser. */
export interface Channel {
  readonly post: (message: unknown) => void;
  readonly listen: (listener: (message: unknown) => void) => void;
  readonly close: () => void;
}
