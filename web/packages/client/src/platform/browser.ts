// The platform as a browser gives it. Over plain HTTP (a laptop in the local network) there are no Web Locks: then each
// tab acts alone, which costs some repeats and nothing else, since a command takes effect once however often it is sent.
import type { Channel, Locks, Platform, Socket, SocketListeners } from './platform';

export function browserPlatform(): Platform {
  return {
    now: () => Date.now(),
    random: () => Math.random(),
    randomBytes: (count) => crypto.getRandomValues(new Uint8Array(count)),
    after: (ms, action) => {
      const timer = setTimeout(action, ms);
      return () => clearTimeout(timer);
    },
    fetch: (url, init) => fetch(url, init),
    openSocket,
    network: {
      isOnline: () => navigator.onLine,
      onChange: (listener) => {
        addEventListener('online', listener);
        addEventListener('offline', listener);
        return () => {
          removeEventListener('online', listener);
          removeEventListener('offline', listener);
        };
      },
    },
    locks: 'locks' in navigator ? webLocks(navigator.locks) : noLocks,
    openChannel,
    maybeSignedIn: () => document.cookie.split('; ').includes('klatch_signed_in=1'),
  };
}

function openSocket(url: string, listeners: SocketListeners): Socket {
  const socket = new WebSocket(url);
  socket.onopen = () => listeners.opened();
  socket.onmessage = (event) => listeners.received(String(event.data));
  socket.onclose = (event) => listeners.closed(event.code);
  return {
    // One that is being closed takes nothing, and would complain; what was to be said is said on the next.
    send: (text) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(text);
    },
    close: () => socket.close(1000),
  };
}

function webLocks(locks: LockManager): Locks {
  return {
    run: (name, action) => locks.request(name, action),
    hold: (name, held) => {
      const ended = new AbortController();
      const wait = new Promise<void>((resolve) => ended.signal.addEventListener('abort', () => resolve()));
      locks
        .request(name, { signal: ended.signal }, () => {
          held();
          return wait;
        })
        // Aborted while still waiting for the lock: nothing was held.
        .catch(() => undefined);
      return () => ended.abort();
    },
  };
}

const noLocks: Locks = {
  run: (_name, action) => action(),
  hold: (_name, held) => {
    held();
    return () => undefined;
  },
};

function openChannel(name: string): Channel {
  const channel = new BroadcastChannel(name);
  let isOpen = true;
  return {
    // What was under way when the channel was closed has nobody to tell.
    post: (message) => {
      if (isOpen) channel.postMessage(message);
    },
    listen: (listener) => {
      channel.onmessage = (event: MessageEvent<unknown>) => listener(event.data);
    },
    close: () => {
      isOpen = false;
      channel.close();
    },
  };
}
