import {
  useCallback,
  useEffect,
  useLayoutEffect,
  useRef,
  useState,
  useSyncExternalStore,
  type RefObject,
} from 'react';
import type { Row } from './Layout';
import { Virtualizer, type RowTraits, type Sight, type Slice } from './Virtualizer';

export interface Virtual<R extends Row> {
  virtualizer: Virtualizer<R>;
  slice: Slice<R>;
  /** For the element that scrolls, and for the one whose children are the rows (with `data-key`). */
  scroller: RefObject<HTMLDivElement | null>;
  content: RefObject<HTMLDivElement | null>;
  onScroll: () => void;
}

function heightsOf<R extends Row>(
  content: HTMLElement | null,
  traits: RowTraits<R>,
  rows: readonly R[],
): [string, number][] {
  const gaps = new Set(rows.filter(traits.isGap).map((row) => row.key));
  const measured: [string, number][] = [];
  for (const child of content?.children ?? []) {
    const key = child instanceof HTMLElement ? child.dataset['key'] : undefined;
    const height = child.getBoundingClientRect().height;
    if (key !== undefined && !gaps.has(key) && height > 0) measured.push([key, height]);
  }
  return measured;
}

export function useVirtualizer<R extends Row>(
  rows: readonly R[],
  traits: RowTraits<R>,
  onSight: (sight: Sight) => void,
): Virtual<R> {
  const [virtualizer] = useState(() => new Virtualizer<R>(traits));
  const slice = useSyncExternalStore(virtualizer.subscribe, virtualizer.getSnapshot);
  const scroller = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const tell = useSight(virtualizer, onSight);

  useLayoutEffect(() => {
    virtualizer.attach(scroller.current);
    return () => virtualizer.attach(null);
  }, [virtualizer]);
  useLayoutEffect(() => virtualizer.setRows(rows), [virtualizer, rows]);
  const settle = useCallback(() => {
    virtualizer.measure(heightsOf(content.current, traits, virtualizer.getSnapshot().rows));
    virtualizer.place();
    tell();
  }, [virtualizer, traits, tell]);
  useLayoutEffect(settle, [settle, slice]);
  useResizes(scroller, content, settle, slice);

  const onScroll = useCallback(() => {
    virtualizer.scrolled();
    tell();
  }, [virtualizer, tell]);
  return { virtualizer, slice, scroller, content, onScroll };
}

/** Tells what is on the screen, at most once a frame. */
function useSight<R extends Row>(virtualizer: Virtualizer<R>, onSight: (sight: Sight) => void): () => void {
  const latest = useRef(onSight);
  const frame = useRef(0);
  useEffect(() => {
    latest.current = onSight;
  }, [onSight]);
  useEffect(() => () => cancelAnimationFrame(frame.current), []);
  return useCallback(() => {
    cancelAnimationFrame(frame.current);
    frame.current = requestAnimationFrame(() => latest.current(virtualizer.sight()));
  }, [virtualizer]);
}

function useResizes(
  scroller: RefObject<HTMLDivElement | null>,
  content: RefObject<HTMLDivElement | null>,
  settle: () => void,
  slice: unknown,
) {
  const [observer, setObserver] = useState<ResizeObserver | null>(null);
  useEffect(() => {
    const made = new ResizeObserver(() => settle());
    setObserver(made);
    return () => made.disconnect();
  }, [settle]);
  useEffect(() => {
    if (!observer) return;
    observer.disconnect();
    if (scroller.current) observer.observe(scroller.current);
    for (const child of content.current?.children ?? []) observer.observe(child);
  }, [observer, scroller, content, slice]);
}
