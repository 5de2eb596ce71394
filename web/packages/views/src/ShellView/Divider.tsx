import type { KeyboardEvent, PointerEvent } from 'react';
import styles from './ShellView.module.css';

const least = 220;
const most = 520;

interface Props {
  label: string;
  width: number;
  /** At which edge of the window the pane lies that is resized. */
  side: 'start' | 'end';
  onWidth: (width: number) => void;
}

const clamp = (width: number) => Math.max(least, Math.min(most, Math.round(width)));

/** The line between two panes: drag it, or use the arrow keys. */
export function Divider({ label, width, side, onWidth }: Props) {
  const grows = (element: Element) => (side === 'start') === (getComputedStyle(element).direction !== 'rtl');
  const onMove = (event: PointerEvent<HTMLDivElement>) => {
    if (!event.currentTarget.hasPointerCapture(event.pointerId)) return;
    onWidth(clamp(grows(event.currentTarget) ? event.clientX : window.innerWidth - event.clientX));
  };
  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>) => {
    const step = event.key === 'ArrowRight' ? 16 : event.key === 'ArrowLeft' ? -16 : 0;
    if (step === 0) return;
    event.preventDefault();
    onWidth(clamp(width + (grows(event.currentTarget) ? step : -step)));
  };
  return (
    <div
      className={styles.divider}
      data-side={side}
      role="separator"
      aria-orientation="vertical"
      aria-label={label}
      aria-valuenow={width}
      aria-valuemin={least}
      aria-valuemax={most}
      tabIndex={0}
      onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
      onPointerMove={onMove}
      onKeyDown={onKeyDown}
    />
  );
}
