import { useRef, useState } from 'react';
import { Button } from '../Button/Button';
import { TextField } from '../Field/Field';
import { Icon } from '../Icon/Icon';
import { useFloating } from '../Menu/Menu';
import { useStrings } from '../strings/strings';
import { dayLabel, isoDay } from '../text/times';
import styles from './DayPill.module.css';

interface Props {
  /** The time of what stands at the top; nothing while that is not loaded. */
  at: number | null;
  now: number;
  /** At the end it is hidden where there is little room. */
  atEnd: boolean;
  onDate: (at: number) => void;
}

/** The day one is reading, over the messages; leads to any other. */
export function DayPill({ at, now, atEnd, onDate }: Props) {
  const words = useStrings().timeline;
  const [anchor, setAnchor] = useState<HTMLElement | null>(null);
  return (
    <div className={styles.place} data-end={atEnd || undefined}>
      <button
        type="button"
        className={styles.pill}
        aria-label={at === null ? undefined : `${dayLabel(at, now)}, ${words.jumpToDate}`}
        aria-haspopup="dialog"
        aria-expanded={anchor !== null}
        onClick={(event) => setAnchor(anchor ? null : event.currentTarget)}
      >
        <Icon name="calendar" size={14} />
        {at === null ? words.jumpToDate : dayLabel(at, now)}
      </button>
      {anchor && (
        <DateChooser
          at={at ?? now}
          now={now}
          anchor={anchor}
          onDate={onDate}
          onClose={() => setAnchor(null)}
        />
      )}
    </div>
  );
}

interface ChooserProps {
  at: number;
  now: number;
  anchor: HTMLElement;
  onDate: (at: number) => void;
  onClose: () => void;
}

function DateChooser({ at, now, anchor, onDate, onClose }: ChooserProps) {
  const words = useStrings().timeline;
  const ref = useRef<HTMLFormElement>(null);
  const [day, setDay] = useState(() => isoDay(at));
  useFloating(ref, anchor, onClose);
  return (
    <form
      ref={ref}
      popover="manual"
      className={styles.chooser}
      role="dialog"
      aria-label={words.jumpToDate}
      onKeyDown={(event) => {
        if (event.key !== 'Escape') return;
        event.stopPropagation();
        onClose();
      }}
      onSubmit={(event) => {
        event.preventDefault();
        const wanted = new Date(`${day}T00:00:00`).getTime();
        if (Number.isNaN(wanted)) return;
        onClose();
        onDate(wanted);
      }}
    >
      <TextField
        label={words.date}
        quiet
        type="date"
        value={day}
        max={isoDay(now)}
        data-autofocus
        onChange={(event) => setDay(event.currentTarget.value)}
      />
      <Button look="primary" type="submit">
        {words.go}
      </Button>
    </form>
  );
}
