import { useCallback, useLayoutEffect, useRef, useState } from 'react';
import type { Selected } from './format';

export interface ComposerText {
  /** For the text's element. */
  attach: (area: HTMLTextAreaElement | null) => void;
  focus: () => void;
  text: string;
  setText: (text: string) => void;
  /** Changes text and selection together, as formatting and completion do. */
  replace: (next: Selected) => void;
  selected: () => Selected;
}

/** The text of the composer, held here so that typing waits for nothing; told to `onChange`. */
export function useComposerText(
  given: { key: string; text: string },
  onChange: (text: string) => void,
): ComposerText {
  const area = useRef<HTMLTextAreaElement>(null);
  const selection = useRef<Selected | null>(null);
  const [{ key, text }, setState] = useState({ key: given.key, text: given.text });
  if (key !== given.key) setState({ key: given.key, text: given.text });

  useLayoutEffect(() => {
    const box = area.current;
    if (!box) return;
    box.style.height = 'auto';
    box.style.height = `${box.scrollHeight}px`;
    const wanted = selection.current;
    selection.current = null;
    if (wanted) box.setSelectionRange(wanted.start, wanted.end);
  }, [text]);

  const setText = (next: string) => {
    setState({ key: given.key, text: next });
    onChange(next);
  };
  const attach = useCallback((element: HTMLTextAreaElement | null) => {
    area.current = element;
  }, []);
  const focus = useCallback(() => {
    const end = area.current?.value.length ?? 0;
    area.current?.focus({ preventScroll: true });
    area.current?.setSelectionRange(end, end);
  }, []);
  return {
    attach,
    focus,
    text,
    setText,
    replace: (next) => {
      selection.current = next;
      area.current?.focus();
      setText(next.text);
    },
    selected: () => ({
      text,
      start: area.current?.selectionStart ?? text.length,
      end: area.current?.selectionEnd ?? text.length,
    }),
  };
}
