import { Avatar } from '../Avatar/Avatar';
import { Icon } from '../Icon/Icon';
import { useStrings } from '../strings/strings';
import type { Completion } from './composer';
import styles from './CompletionList.module.css';

interface Props {
  id: string;
  items: Completion[];
  chosen: number;
  onPick: (item: Completion) => void;
}

/** The suggestions over the composer. The focus stays in the text; the chosen one is named there. */
export function CompletionList({ id, items, chosen, onPick }: Props) {
  const words = useStrings().composer;
  return (
    <ul id={id} className={styles.list} role="listbox" aria-label={words.completions}>
      {items.map((item, index) => (
        <li
          key={item.id}
          id={`${id}-${String(index)}`}
          role="option"
          aria-selected={index === chosen}
          className={styles.item}
          onMouseDown={(event) => {
            event.preventDefault();
            onPick(item);
          }}
        >
          <Sign item={item} />
          <bdi className={styles.label}>{item.label}</bdi>
          {item.detail && <span className={styles.detail}>{item.detail}</span>}
        </li>
      ))}
    </ul>
  );
}

function Sign({ item }: { item: Completion }) {
  if (item.person !== undefined) return <Avatar id={item.person} name={item.label} size="s" />;
  if (item.emoji !== undefined) return <span className={styles.emoji}>{item.emoji}</span>;
  return <Icon name="hash" size={18} />;
}
