import { useCallback, useEffect, useState, type RefObject } from 'react';

/** Whether unread conversations lie above or below what the list shows, and how to get there. */
export function useUnreadBeyond(list: RefObject<HTMLElement | null>, changes: unknown) {
  const [{ above, below }, setBeyond] = useState({ above: false, below: false });

  const unread = useCallback(
    (side: 'above' | 'below') => {
      const frame = list.current?.getBoundingClientRect();
      if (!frame) return [];
      return [...(list.current?.querySelectorAll('[data-unread]') ?? [])].filter((entry) => {
        const box = entry.getBoundingClientRect();
        return side === 'above' ? box.bottom < frame.top + 4 : box.top > frame.bottom - 4;
      });
    },
    [list],
  );
  const look = useCallback(() => {
    const next = { above: unread('above').length > 0, below: unread('below').length > 0 };
    setBeyond((last) => (last.above === next.above && last.below === next.below ? last : next));
  }, [unread]);

  useEffect(look, [look, changes]);
  const show = (entry: Element | undefined) => entry?.scrollIntoView({ block: 'center' });
  return {
    above,
    below,
    look,
    showAbove: () => show(unread('above').at(-1)),
    showBelow: () => show(unread('below')[0]),
  };
}
