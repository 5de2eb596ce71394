import { useId, useState, type KeyboardEvent } from 'react';
import { Avatar } from '../Avatar/Avatar';
import { Dialog } from '../Dialog/Dialog';
import { Icon } from '../Icon/Icon';
import { useStrings } from '../strings/strings';
import styles from './QuickSwitcherView.module.css';

export interface SwitcherEntry {
  id: string;
  kind: 'direct' | 'group' | 'channel' | 'person';
  name: string;
  detail: string;
  /** The person, where it is one. */
  person: string | null;
  unread: number;
}

interface Props {
  snapshot: { query: string; entries: SwitcherEntry[] };
  actions: { search: (query: string) => void; open: (entry: SwitcherEntry) => void; close: () => void };
}

/** Type a few letters, press Enter: there. */
export function QuickSwitcherView({ snapshot, actions }: Props) {
  const strings = useStrings();
  const words = strings.switcher;
  const id = useId();
  const [{ index, query }, setChosen] = useState({ index: 0, query: '' });
  const { entries } = snapshot;
  const chosen = query === snapshot.query ? Math.min(index, entries.length - 1) : 0;
  const choose = (next: number) =>
    setChosen({ index: (next + entries.length) % entries.length, query: snapshot.query });
  const onKeyDown = (event: KeyboardEvent) => {
    const entry = entries[chosen];
    if (event.key === 'ArrowDown' && entry) choose(chosen + 1);
    else if (event.key === 'ArrowUp' && entry) choose(chosen - 1);
    else if (event.key === 'Enter' && entry) actions.open(entry);
    else return;
    event.preventDefault();
  };
  return (
    <Dialog title={words.title} bare onClose={actions.close}>
      <div className={styles.switcher}>
        <label className={styles.search}>
          <Icon name="search" />
          <input
            type="text"
            role="combobox"
            aria-label={words.placeholder}
            aria-expanded={entries.length > 0}
            aria-controls={id}
            aria-autocomplete="list"
            aria-activedescendant={entries.length > 0 ? `${id}-${String(chosen)}` : undefined}
            placeholder={words.placeholder}
            data-autofocus
            value={snapshot.query}
            onChange={(event) => actions.search(event.currentTarget.value)}
            onKeyDown={onKeyDown}
          />
        </label>
        <ul id={id} className={styles.list} role="listbox" aria-label={words.title}>
          {entries.map((entry, at) => (
            <li
              key={`${entry.kind}-${entry.id}`}
              id={`${id}-${String(at)}`}
              role="option"
              aria-selected={at === chosen}
              className={styles.entry}
              ref={at === chosen ? (element) => element?.scrollIntoView({ block: 'nearest' }) : undefined}
              onClick={() => actions.open(entry)}
            >
              <EntryContent entry={entry} />
            </li>
          ))}
        </ul>
        {entries.length === 0 && <p className={styles.none}>{strings.common.nothingFound}</p>}
        <p className={styles.hint}>{words.hint}</p>
        <p className="visually-hidden" role="status">
          {words.results(entries.length)}
        </p>
      </div>
    </Dialog>
  );
}

function EntryContent({ entry }: { entry: SwitcherEntry }) {
  const strings = useStrings();
  return (
    <>
      {entry.person ? (
        <Avatar id={entry.person} name={entry.name} size="s" />
      ) : (
        <span className={styles.sign}>
          <Icon name={entry.kind === 'channel' ? 'hash' : 'people'} size={18} />
        </span>
      )}
      <bdi className={styles.name}>{entry.name}</bdi>
      <span className={styles.detail}>{entry.detail}</span>
      {entry.unread > 0 && <span className={styles.unread}>{strings.sidebar.unread(entry.unread)}</span>}
    </>
  );
}
