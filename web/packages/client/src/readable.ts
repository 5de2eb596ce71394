// A value that changes in time. `get` returns the same object until it really changed, so both functions can be handed
// to React's `useSyncExternalStore` as they are: `useSyncExternalStore(readable.subscribe, readable.get)`.

export interface Readable<T> {
  readonly get: () => T;
  /** Calls `listener` after each change. Returns how to stop it. */
  readonly subscribe: (listener: () => void) => () => void;
}
