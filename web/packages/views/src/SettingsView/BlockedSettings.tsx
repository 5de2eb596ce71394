import { Avatar } from '../Avatar/Avatar';
import { Button } from '../Button/Button';
import { EmptyView } from '../EmptyView/EmptyView';
import type { PersonSnapshot } from '../MessageView/message';
import { useStrings } from '../strings/strings';
import styles from './settings.module.css';

interface Props {
  snapshot: { people: PersonSnapshot[] };
  actions: { unblock: (id: string) => void };
}

export function BlockedSettings({ snapshot, actions }: Props) {
  const words = useStrings().settings;
  if (snapshot.people.length === 0)
    return <EmptyView icon="block" title={words.blocked} text={words.noBlocked} />;
  return (
    <ul className={styles.list}>
      {snapshot.people.map((person) => (
        <li key={person.id} className={styles.item}>
          <Avatar id={person.id} name={person.name} size="s" />
          <bdi className={styles.grow}>{person.name}</bdi>
          <Button
            small
            aria-label={`${words.unblock} ${person.name}`}
            onClick={() => actions.unblock(person.id)}
          >
            {words.unblock}
          </Button>
        </li>
      ))}
    </ul>
  );
}
