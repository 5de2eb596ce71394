import type { Page } from '@klatch/client';
import { useCallback, useEffect, useState } from 'react';

interface Loaded<T> {
  key: string;
  items: T[];
  next: string | null;
  version: number;
}

export interface Paged<T> {
  items: T[];
  loading: boolean;
  more: boolean;
  loadMore: () => void;
  /** Asks again, for what was changed. */
  again: () => void;
}

/** A list that comes page by page; `key` says what it is a list of. */
export function usePaged<T>(key: string, load: (after: string | undefined) => Promise<Page<T>>): Paged<T> {
  const [loaded, setLoaded] = useState<Loaded<T> | null>(null);
  const [version, setVersion] = useState(0);
  useEffect(() => {
    let wanted = true;
    const timer = window.setTimeout(() => {
      load(undefined).then(
        ({ items, next }) => wanted && setLoaded({ key, items, next, version }),
        () => wanted && setLoaded({ key, items: [], next: null, version }),
      );
    }, 120);
    return () => {
      wanted = false;
      window.clearTimeout(timer);
    };
  }, [key, load, version]);
  const next = loaded?.next ?? null;
  const loadMore = useCallback(() => {
    if (next === null) return;
    void load(next).then((page) =>
      setLoaded((last) => last && { ...last, items: [...last.items, ...page.items], next: page.next }),
    );
  }, [load, next]);
  return {
    items: loaded?.items ?? [],
    loading: loaded?.key !== key,
    more: next !== null,
    loadMore,
    again: () => setVersion((last) => last + 1),
  };
}
