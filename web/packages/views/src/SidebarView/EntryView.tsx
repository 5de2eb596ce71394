import { memo } from 'react';
import { Avatar } from '../Avatar/Avatar';
import { Icon } from '../Icon/Icon';
import { useStrings, type Strings } from '../strings/strings';
import { classes } from '../text/classes';
import { listTime } from '../text/times';
import type { ConversationEntry } from './sidebar';
import styles from './EntryView.module.css';

interface Props {
  entry: ConversationEntry;
  selected: boolean;
  preview: boolean;
  now: number;
}

export const EntryView = memo(function EntryView({ entry, selected, preview: wanted, now }: Props) {
  const strings = useStrings();
  const preview = wanted && entry.preview !== null;
  const fresh = entry.unread > 0 && !entry.muted;
  return (
    <li>
      <a
        href={entry.href}
        className={classes(
          styles.entry,
          selected && styles.selected,
          fresh && styles.fresh,
          entry.muted && styles.muted,
        )}
        aria-current={selected ? 'page' : undefined}
        data-unread={fresh || undefined}
      >
        <span className={styles.sign}>
          {entry.peer ? (
            <Avatar id={entry.peer.id} name={entry.name} size="s" presence={entry.peer.presence} />
          ) : (
            <span className={styles.kind}>
              <Icon name={entry.kind === 'channel' ? 'hash' : 'people'} size={18} />
            </span>
          )}
        </span>
        <span className={styles.words}>
          <span className={styles.line}>
            <bdi className={styles.name}>{entry.name}</bdi>
            <span className="visually-hidden">{spoken(entry, strings)}</span>
            {preview && entry.at !== null && (
              <span className={styles.time} aria-hidden="true">
                {listTime(entry.at, now)}
              </span>
            )}
            {!preview && <Marks entry={entry} preview={preview} />}
          </span>
          {preview && (
            <span className={styles.line}>
              <Second entry={entry} />
              <Marks entry={entry} preview={preview} />
            </span>
          )}
        </span>
      </a>
    </li>
  );
});

function Second({ entry }: { entry: ConversationEntry }) {
  const words = useStrings().sidebar;
  if (entry.typing)
    return (
      <span className={classes(styles.second, styles.typing)} aria-hidden="true">
        {words.typing}
      </span>
    );
  return (
    <span className={styles.second} dir="auto" aria-hidden="true">
      {entry.preview}
    </span>
  );
}

function Marks({ entry, preview }: { entry: ConversationEntry; preview: boolean }) {
  const numbers = new Intl.NumberFormat();
  return (
    <span className={styles.marks} aria-hidden="true">
      {entry.typing && !preview && <span className={styles.dots} />}
      {entry.failed && (
        <span className={styles.failed}>
          <Icon name="warning" size={16} />
        </span>
      )}
      {entry.draft && <Icon name="edit" size={14} />}
      {entry.muted && <Icon name="bellOff" size={14} />}
      {entry.mentions > 0 && <span className={styles.badge}>{numbers.format(entry.mentions)}</span>}
      {entry.mentions === 0 && entry.unread > 0 && (
        <span className={styles.count}>{entry.unread > 99 ? '99+' : numbers.format(entry.unread)}</span>
      )}
    </span>
  );
}

/** All that the marks say, in words. */
function spoken(entry: ConversationEntry, strings: Strings): string {
  const words = strings.sidebar;
  const said = [
    entry.peer && strings.common.presence[entry.peer.presence],
    entry.mentions > 0 && words.mentions(entry.mentions),
    entry.unread > 0 && words.unread(entry.unread),
    entry.typing && words.typing,
    entry.draft && words.draft,
    entry.failed && words.failed,
    entry.muted && words.muted,
  ].filter(Boolean);
  return said.join(', ');
}
