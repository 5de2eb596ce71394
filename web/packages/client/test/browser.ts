// A browser without windows: tabs that share locks, channels, cookies and storage, talking through real sockets.
import 'fake-indexeddb/auto';
import { IDBFactory } from 'fake-indexeddb';
import { randomBytes } from 'node:crypto';
import { WebSocket } from 'ws';
import type { KlatchClient } from '../src/contract/client';
import { createClient } from '../src/facade/client';
import type { Channel, Locks, Platform } from '../src/platform/platform';
import { after, now } from './clock';

export interface Tab {
  readonly client: KlatchClient;
  /** As when a tab is killed: nothing is said to anybody, timers stop, locks fall. */
  kill(): void;
  setNetwork(online: boolean): void;
}

type Listener = (message: unknown) => void;

export class Browser {
  readonly #cookies = new Map<string, string>();
  readonly #channels = new Map<string, Set<Listener>>();
  readonly #locks = new Map<string, (() => void)[]>();
  readonly tabs: Tab[] = [];

  constructor(readonly baseUrl: string) {
    // The library opens databases through the global, as every page does. One browser a test.
    globalThis.indexedDB = new IDBFactory();
  }

  openTab(start = true): Tab {
    const life = { alive: true, online: true };
    const networkListeners = new Set<() => void>();
    const release = new Set<() => void>();
    const sockets = new Set<WebSocket>();
    const platform: Platform = {
      now,
      random: Math.random,
      randomBytes: (count) => randomBytes(count),
      after: (ms, action) => after(ms, () => life.alive && action()),
      fetch: (url, init) => this.fetch(url, init, life),
      openSocket: (url, listeners) => {
        const socket = new WebSocket(url, { origin: this.baseUrl });
        sockets.add(socket);
        if (!life.online) socket.terminate();
        socket.on('error', () => undefined);
        socket.on('open', () => life.alive && listeners.opened());
        socket.on('message', (data: Buffer) => life.alive && listeners.received(data.toString()));
        socket.on('close', (code) => life.alive && listeners.closed(code));
        return { send: (text) => socket.send(text), close: () => socket.close(1000) };
      },
      network: {
        isOnline: () => life.online,
        onChange: (listener) => {
          networkListeners.add(listener);
          return () => networkListeners.delete(listener);
        },
      },
      locks: this.locks(release),
      openChannel: (name) => this.channel(name, life),
      maybeSignedIn: () => this.#cookies.has('klatch_signed_in'),
    };
    const client = createClient({ platform, baseUrl: this.baseUrl });
    if (start) client.start();
    const tab: Tab = {
      client,
      kill: () => {
        life.alive = false;
        for (const socket of sockets) socket.terminate();
        for (const free of release) free();
        void client.stop();
      },
      setNetwork: (online) => {
        life.online = online;
        if (!online) for (const socket of sockets) socket.terminate();
        for (const listener of networkListeners) listener();
      },
    };
    this.tabs.push(tab);
    return tab;
  }

  close(): void {
    for (const tab of this.tabs) tab.kill();
  }

  private async fetch(url: string, init: RequestInit, life: { online: boolean }): Promise<Response> {
    if (!life.online) throw new TypeError('no network');
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const headers = { ...(init.headers as Record<string, string>), cookie, origin: this.baseUrl };
    const response = await fetch(url, { ...init, headers });
    for (const line of response.headers.getSetCookie()) {
      const [name = '', value = ''] = (line.split(';')[0] ?? '').split('=');
      if (value === '') this.#cookies.delete(name);
      else this.#cookies.set(name, value);
    }
    return response;
  }

  private channel(name: string, life: { alive: boolean }): Channel {
    const all = this.#channels.get(name) ?? new Set();
    this.#channels.set(name, all);
    let own: Listener = () => undefined;
    return {
      post: (message) => {
        const copy = structuredClone(message);
        for (const listener of all) if (listener !== own && life.alive) queueMicrotask(() => listener(copy));
      },
      listen: (listener) => {
        own = (message) => life.alive && listener(message);
        all.add(own);
      },
      close: () => all.delete(own),
    };
  }

  private locks(release: Set<() => void>): Locks {
    const free = (name: string): void => {
      const waiting = this.#locks.get(name) ?? [];
      waiting.shift();
      waiting[0]?.();
    };
    const take = (name: string, held: () => void): (() => void) => {
      const waiting = this.#locks.get(name) ?? [];
      this.#locks.set(name, waiting);
      waiting.push(held);
      if (waiting.length === 1) held();
      let released = false;
      const letGo = (): void => {
        if (released) return;
        released = true;
        release.delete(letGo);
        if (waiting[0] === held) free(name);
        else waiting.splice(waiting.indexOf(held), 1);
      };
      release.add(letGo);
      return letGo;
    };
    return {
      run: (name, action) =>
        new Promise((resolve, reject) => {
          const letGo = take(name, () =>
            queueMicrotask(() => void action().then(resolve, reject).finally(letGo)),
          );
        }),
      hold: (name, held) => take(name, () => queueMicrotask(held)),
    };
  }
}
