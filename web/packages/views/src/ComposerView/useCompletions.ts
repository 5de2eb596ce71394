import { useEffect, useRef, useState, type KeyboardEvent } from 'react';
import type { Completion, ComposerActions } from './composer';
import { tokenAt, type Token } from './token';
import type { ComposerText } from './useComposerText';

export interface Completions {
  items: Completion[];
  chosen: number;
  /** Looks at what stands before the caret. */
  look: (text: string, caret: number) => void;
  pick: (item: Completion) => void;
  close: () => void;
  /** Takes the keys of the list while it is open. Answers whether it took this one. */
  onKey: (event: KeyboardEvent) => boolean;
}

interface Open {
  token: Token;
  items: Completion[];
}

function narrowed(open: Open | null, token: Token): Open | null {
  if (open?.token.kind !== token.kind) return null;
  const wanted = token.query.toLowerCase();
  const items = open.items.filter((item) => `${item.insert} ${item.label}`.toLowerCase().includes(wanted));
  return items.length > 0 ? { token, items } : null;
}

export function useCompletions(composer: ComposerText, complete: ComposerActions['complete']): Completions {
  const [open, setOpen] = useState<Open | null>(null);
  const [chosen, setChosen] = useState(0);
  const asked = useRef(0);
  useEffect(() => () => void (asked.current += 1), []);

  const close = () => {
    asked.current += 1;
    setOpen(null);
  };
  const look = (text: string, caret: number) => {
    const token = tokenAt(text, caret);
    if (!token) {
      close();
      return;
    }
    asked.current += 1;
    const mine = asked.current;
    // Until the answer is there, what was offered before is narrowed: nobody picks what no longer fits.
    setOpen((before) => narrowed(before, token));
    setChosen(0);
    void complete(token.kind, token.query).then((items) => {
      if (mine !== asked.current) return;
      setOpen(items.length > 0 ? { token, items } : null);
      setChosen(0);
    });
  };
  const pick = (item: Completion) => {
    if (!open) return;
    const { text } = composer.selected();
    const inserted = `${item.insert} `;
    const caret = open.token.start + inserted.length;
    const rest = text.slice(open.token.end).replace(/^ /u, '');
    close();
    composer.replace({ text: text.slice(0, open.token.start) + inserted + rest, start: caret, end: caret });
  };
  const onKey = (event: KeyboardEvent): boolean => {
    if (!open) return false;
    const count = open.items.length;
    const item = open.items[chosen];
    if (
      event.key === 'Enter' &&
      item?.insert === composer.selected().text.slice(open.token.start, open.token.end)
    ) {
      // It is written out already: nobody needs to say twice that they are done.
      close();
      return false;
    }
    if (event.key === 'ArrowDown') setChosen((chosen + 1) % count);
    else if (event.key === 'ArrowUp') setChosen((chosen - 1 + count) % count);
    else if (event.key === 'Escape') close();
    else if ((event.key === 'Enter' || event.key === 'Tab') && !event.shiftKey && item) pick(item);
    else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  };
  return { items: open?.items ?? [], chosen, look, pick, close, onKey };
}
