import type { KeyboardEvent } from 'react';

interface Scrolls {
  scrollBy: (pixels: number) => void;
}

/** Arrow keys lead from message to message, and on into what is not drawn yet; End leads to the latest. */
export function moveFocus(
  event: KeyboardEvent,
  content: HTMLElement | null,
  virtualizer: Scrolls,
  toLatest: () => void,
): void {
  const target = event.target;
  if (!(target instanceof HTMLElement) || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === 'End' && !isField(target)) {
    event.preventDefault();
    toLatest();
    return;
  }
  const row = target.closest<HTMLElement>('[data-message]');
  if (event.key === 'Escape' && row && row !== target) {
    event.stopPropagation();
    row.focus();
    return;
  }
  const step = event.key === 'ArrowUp' ? -1 : event.key === 'ArrowDown' ? 1 : 0;
  if (step === 0 || target !== row) return;
  event.preventDefault();
  const rows = [...(content?.querySelectorAll<HTMLElement>('[data-message]') ?? [])];
  const next = rows[rows.indexOf(row) + step];
  if (!next) {
    virtualizer.scrollBy(step * 200);
    return;
  }
  next.focus({ preventScroll: true });
  next.scrollIntoView({ block: 'nearest' });
}

function isField(element: HTMLElement): boolean {
  return element instanceof HTMLInputElement || element instanceof HTMLTextAreaElement;
}
