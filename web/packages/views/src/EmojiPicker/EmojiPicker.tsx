import { useEffect, useRef, useState, type KeyboardEvent } from 'react';
import { TextField } from '../Field/Field';
import { useFloating } from '../Menu/Menu';
import { useStrings } from '../strings/strings';
import { findEmoji, loadEmoji, type Emoji } from './emoji';
import styles from './EmojiPicker.module.css';

export interface EmojiPickerProps {
  anchor: HTMLElement;
  recent: string[];
  onPick: (emoji: string) => void;
  onClose: () => void;
}

const columns = 8;

export function EmojiPicker({ anchor, recent, onPick, onClose }: EmojiPickerProps) {
  const strings = useStrings();
  const ref = useRef<HTMLDivElement>(null);
  const [query, setQuery] = useState('');
  const all = useEmoji();
  useFloating(ref, anchor, onClose);
  const shown = findEmoji(all, query, query ? 160 : all.length);
  const pick = (emoji: string) => {
    onClose();
    onPick(emoji);
  };
  return (
    <div
      ref={ref}
      popover="manual"
      role="dialog"
      aria-label={strings.composer.emoji}
      className={styles.picker}
      onKeyDown={(event) => onPickerKey(event, onClose)}
    >
      <TextField
        label={strings.emoji.find}
        placeholder={strings.emoji.find}
        quiet
        data-autofocus
        value={query}
        onChange={(event) => setQuery(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Enter') return;
          event.preventDefault();
          if (shown[0]) pick(shown[0].emoji);
        }}
      />
      <div className={styles.all}>
        {!query && recent.length > 0 && (
          <Group
            label={strings.emoji.recent}
            emoji={recent.map((emoji) => ({ emoji, name: emoji }))}
            onPick={pick}
          />
        )}
        {query ? (
          <Group label={strings.emoji.found} emoji={shown} onPick={pick} />
        ) : (
          <Groups all={all} onPick={pick} />
        )}
        {shown.length === 0 && all.length > 0 && <p className={styles.none}>{strings.common.nothingFound}</p>}
      </div>
    </div>
  );
}

function useEmoji(): Emoji[] {
  const [all, setAll] = useState<Emoji[]>([]);
  useEffect(() => {
    let wanted = true;
    void loadEmoji().then((loaded) => {
      if (wanted) setAll(loaded);
    });
    return () => {
      wanted = false;
    };
  }, []);
  return all;
}

function Groups({ all, onPick }: { all: Emoji[]; onPick: (emoji: string) => void }) {
  const names = useStrings().emoji.groups;
  return Object.entries(names).map(([group, label]) => (
    <Group
      key={group}
      label={label}
      emoji={all.filter((emoji) => emoji.group === Number(group))}
      onPick={onPick}
    />
  ));
}

interface GroupProps {
  label: string;
  emoji: { emoji: string; name: string }[];
  onPick: (emoji: string) => void;
}

function Group({ label, emoji, onPick }: GroupProps) {
  if (emoji.length === 0) return null;
  return (
    <section className={styles.group} aria-label={label}>
      <h3 className={styles.title}>{label}</h3>
      <div className={styles.grid}>
        {emoji.map(({ emoji: sign, name }) => (
          <button
            key={sign}
            type="button"
            className={styles.emoji}
            aria-label={name}
            title={name}
            onClick={() => onPick(sign)}
          >
            {sign}
          </button>
        ))}
      </div>
    </section>
  );
}

function onPickerKey(event: KeyboardEvent<HTMLDivElement>, onClose: () => void): void {
  if (event.key === 'Escape') {
    event.preventDefault();
    event.stopPropagation();
    onClose();
    return;
  }
  const steps: Record<string, number> = {
    ArrowRight: 1,
    ArrowLeft: -1,
    ArrowDown: columns,
    ArrowUp: -columns,
  };
  const step = steps[event.key];
  const field = event.target instanceof HTMLInputElement;
  if (step === undefined || (field && event.key !== 'ArrowDown')) return;
  event.preventDefault();
  const buttons = [...event.currentTarget.querySelectorAll<HTMLElement>('section button')];
  const at = field ? -columns : buttons.findIndex((button) => button === document.activeElement);
  const next = field ? buttons[0] : buttons[at + step];
  if (next) next.focus();
  else if (step < 0) event.currentTarget.querySelector('input')?.focus();
}
