import { useEffect, useRef, type PointerEvent } from 'react';

const holdMs = 450;
const slackPx = 10;

/** Handlers that call `onHold` when a finger rests; scrolling or lifting it ends that. */
export function useLongPress(onHold: () => void) {
  const timer = useRef<number | undefined>(undefined);
  const from = useRef({ x: 0, y: 0 });
  const stop = () => window.clearTimeout(timer.current);
  useEffect(() => stop, []);
  return {
    onPointerDown: (event: PointerEvent) => {
      if (event.pointerType !== 'touch') return;
      from.current = { x: event.clientX, y: event.clientY };
      stop();
      timer.current = window.setTimeout(() => {
        swallowClick();
        onHold();
      }, holdMs);
    },
    onPointerMove: (event: PointerEvent) => {
      const { x, y } = from.current;
      if (Math.hypot(event.clientX - x, event.clientY - y) > slackPx) stop();
    },
    onPointerUp: stop,
    onPointerCancel: stop,
  };
}

/** What opened under the finger is not pressed when the finger leaves. */
function swallowClick(): void {
  const end = () => {
    window.removeEventListener('click', swallow, true);
    window.removeEventListener('pointerdown', end, true);
  };
  const swallow = (event: Event) => {
    event.preventDefault();
    event.stopPropagation();
    end();
  };
  window.addEventListener('click', swallow, true);
  window.addEventListener('pointerdown', end, true);
}
