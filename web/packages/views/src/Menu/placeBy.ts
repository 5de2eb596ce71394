const margin = 8;

/** Puts a floating box below its anchor (above where there is no room), with ends aligned, inside the window. */
export function placeBy(box: HTMLElement, anchor: HTMLElement): void {
  const from = anchor.getBoundingClientRect();
  const { width, height } = box.getBoundingClientRect();
  const below = from.bottom + 4;
  const top = below + height + margin <= window.innerHeight ? below : from.top - 4 - height;
  const left = from.left + width + margin <= window.innerWidth ? from.left : from.right - width;
  box.style.top = `${Math.max(margin, Math.min(top, window.innerHeight - height - margin))}px`;
  box.style.left = `${Math.max(margin, Math.min(left, window.innerWidth - width - margin))}px`;
}
