const margin = 8;
const wide = 400;

/** Puts a floating box below its anchor (above where there is no room), with ends aligned, inside the window. */
export function placeBy(box: HTMLElement, anchor: HTMLElement): void {
  const from = anchor.getBoundingClientRect();
  const { width, height } = box.getBoundingClientRect();
  const below = from.bottom + 4;
  const top = below + height + margin <= window.innerHeight ? below : from.top - 4 - height;
  // A whole row has no side of its own: its actions stand at its end.
  if (from.width > wide) {
    place(box, Math.max(margin, from.top), from.right - width - margin * 3, { width, height });
    return;
  }
  const left = from.left + width + margin <= window.innerWidth ? from.left : from.right - width;
  place(box, top, left, { width, height });
}

function place(box: HTMLElement, top: number, left: number, size: { width: number; height: number }): void {
  box.style.top = `${Math.max(margin, Math.min(top, window.innerHeight - size.height - margin))}px`;
  box.style.left = `${Math.max(margin, Math.min(left, window.innerWidth - size.width - margin))}px`;
}
