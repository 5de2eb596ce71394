import { useId, useState, type KeyboardEvent } from 'react';
import { Avatar } from '../Avatar/Avatar';
import { TextField } from '../Field/Field';
import { Icon } from '../Icon/Icon';
import type { PersonSnapshot } from '../MessageView/message';
import { useStrings } from '../strings/strings';
import styles from './PeoplePicker.module.css';

export interface PeoplePickerProps {
  label: string;
  /** Those who were found and are not chosen yet. */
  found: PersonSnapshot[];
  chosen: PersonSnapshot[];
  loading: boolean;
  query: string;
  onSearch: (query: string) => void;
  onChoose: (person: PersonSnapshot) => void;
  onUnchoose: (id: string) => void;
}

/** Finds people by name and gathers those who are chosen. */
export function PeoplePicker({
  label,
  found,
  chosen,
  loading,
  query,
  onSearch,
  onChoose,
  onUnchoose,
}: PeoplePickerProps) {
  const words = useStrings().dialogs;
  const id = useId();
  const [at, setAt] = useState(0);
  const marked = Math.min(at, found.length - 1);
  const onKeyDown = (event: KeyboardEvent) => {
    const person = found[marked];
    const last = chosen.at(-1);
    if (event.key === 'ArrowDown') setAt(Math.min(marked + 1, found.length - 1));
    else if (event.key === 'ArrowUp') setAt(Math.max(marked - 1, 0));
    else if (event.key === 'Enter' && person) onChoose(person);
    else if (event.key === 'Backspace' && query === '' && last) onUnchoose(last.id);
    else return;
    event.preventDefault();
  };
  return (
    <div className={styles.picker}>
      <TextField
        label={label}
        placeholder={words.findPeople}
        data-autofocus
        role="combobox"
        aria-expanded={found.length > 0}
        aria-controls={id}
        aria-autocomplete="list"
        aria-activedescendant={found.length > 0 ? `${id}-${String(marked)}` : undefined}
        value={query}
        onChange={(event) => {
          setAt(0);
          onSearch(event.currentTarget.value);
        }}
        onKeyDown={onKeyDown}
      />
      {chosen.length > 0 && <Chosen chosen={chosen} onUnchoose={onUnchoose} />}
      <ul id={id} className={styles.list} role="listbox" aria-label={words.suggestions}>
        {found.map((person, index) => (
          <li
            key={person.id}
            id={`${id}-${String(index)}`}
            role="option"
            aria-selected={index === marked}
            className={styles.person}
            onClick={() => onChoose(person)}
          >
            <Avatar id={person.id} name={person.name} size="s" />
            <bdi className={styles.name}>{person.name}</bdi>
            <bdi className={styles.handle}>@{person.handle}</bdi>
          </li>
        ))}
      </ul>
      {!loading && found.length === 0 && (
        <p className={styles.none}>{query ? words.nobody : words.nobodyYet}</p>
      )}
    </div>
  );
}

function Chosen({ chosen, onUnchoose }: Pick<PeoplePickerProps, 'chosen' | 'onUnchoose'>) {
  const words = useStrings().dialogs;
  return (
    <ul className={styles.chosen} aria-label={words.chosen}>
      {chosen.map((person) => (
        <li key={person.id}>
          <button
            type="button"
            className={styles.chip}
            aria-label={words.unchoose(person.name)}
            onClick={() => onUnchoose(person.id)}
          >
            <Avatar id={person.id} name={person.name} size="xs" />
            <bdi>{person.name}</bdi>
            <Icon name="close" size={14} />
          </button>
        </li>
      ))}
    </ul>
  );
}
