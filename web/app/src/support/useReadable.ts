import type { Readable } from '@klatch/client';
import { useMemo, useSyncExternalStore } from 'react';

export function useReadable<T>(readable: Readable<T>): T {
  return useSyncExternalStore(readable.subscribe, readable.get);
}

/** Several readables as one: its value is a new array after any of them changed. */
export function combine<T>(parts: readonly Readable<T>[]): Readable<readonly T[]> {
  let last: readonly T[] = parts.map((part) => part.get());
  return {
    get: () => {
      const next = parts.map((part) => part.get());
      if (next.some((value, index) => !Object.is(value, last[index]))) last = next;
      return last;
    },
    subscribe: (listener) => {
      const stops = parts.map((part) => part.subscribe(listener));
      return () => {
        for (const stop of stops) stop();
      };
    },
  };
}

/** What `of` says of each id, kept up to date. */
export function useEach<T>(ids: readonly string[], of: (id: string) => Readable<T>): ReadonlyMap<string, T> {
  const key = ids.join();
  const combined = useMemo(() => combine(key === '' ? [] : key.split(',').map(of)), [key, of]);
  const values = useReadable(combined);
  return useMemo(() => {
    const all = new Map<string, T>();
    key.split(',').forEach((id, index) => {
      const value = values[index];
      if (value !== undefined) all.set(id, value);
    });
    return all;
  }, [key, values]);
}
