import type { Readable } from '@klatch/client';

/** A value that can be set, for the few things the app itself keeps. */
export interface Store<T> extends Readable<T> {
  readonly set: (next: T) => void;
  readonly update: (change: (last: T) => T) => void;
}

export function storeOf<T>(first: T): Store<T> {
  let value = first;
  const listeners = new Set<() => void>();
  const set = (next: T) => {
    if (Object.is(next, value)) return;
    value = next;
    for (const listener of [...listeners]) listener();
  };
  return {
    get: () => value,
    set,
    update: (change) => set(change(value)),
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
