// The one place where state lives: actions go in, `Readable`s of parts come out.
import type { Readable } from '../readable';
import type { Action } from './actions';
import { reduce } from './reduce';
import { initialState, type State } from './state';

export class Store implements Readable<State> {
  #state = initialState;
  readonly #listeners = new Set<() => void>();

  readonly get = (): State => this.#state;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly dispatch = (action: Action): void => {
    const after = reduce(this.#state, action);
    if (after === this.#state) return;
    this.#state = after;
    for (const listener of [...this.#listeners]) listener();
  };

  /** A part of the state. Its identity changes only if `selector` yields something else, so selectors must be stable. */
  select<T>(selector: (state: State) => T): Readable<T> {
    return derived(this, selector);
  }
}

/** A readable computed from another, once for each of its values; listeners hear only of real changes. */
export function derived<S, T>(source: Readable<S>, selector: (value: S) => T): Readable<T> {
  let input = source.get();
  let output = selector(input);
  const get = (): T => {
    const value = source.get();
    if (input !== value) {
      input = value;
      output = selector(value);
    }
    return output;
  };
  const subscribe = (listener: () => void): (() => void) => {
    let before = get();
    return source.subscribe(() => {
      const after = get();
      if (after === before) return;
      before = after;
      listener();
    });
  };
  return { get, subscribe };
}

/** A readable that is set by hand. */
export class Variable<T> implements Readable<T> {
  readonly #listeners = new Set<() => void>();

  constructor(private value: T) {}

  readonly get = (): T => this.value;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  set(value: T): void {
    if (value === this.value) return;
    this.value = value;
    for (const listener of [...this.#listeners]) listener();
  }
}
