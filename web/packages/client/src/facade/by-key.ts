// One readable for each key, always the same: a view that asks anew at each render does not subscribe anew.
import type { Readable } from '../readable';

export function byKey<T>(make: (key: string) => Readable<T>): (key: string) => Readable<T> {
  const made = new Map<string, Readable<T>>();
  return (key) => {
    const readable = made.get(key) ?? make(key);
    made.set(key, readable);
    return readable;
  };
}
