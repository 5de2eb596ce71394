import { Avatar, type Presence } from '../Avatar/Avatar';
import { Button } from '../Button/Button';
import { TextField } from '../Field/Field';
import type { PersonSnapshot } from '../MessageView/message';
import { useStrings } from '../strings/strings';
import styles from './PersonView.module.css';

export interface PersonViewSnapshot {
  person: PersonSnapshot;
  about: string;
  presence: Presence;
  me: boolean;
  state: 'active' | 'closed' | 'imported';
  network: string | null;
  blocked: boolean;
  /** An owner of the site may help who has lost the password. */
  canReset: boolean;
  resetLink: string | null;
}

interface Props {
  snapshot: PersonViewSnapshot;
  actions: {
    write: () => void;
    edit: () => void;
    block: () => void;
    unblock: () => void;
    reset: () => void;
    copyReset: () => void;
  };
}

export function PersonView({ snapshot, actions }: Props) {
  const strings = useStrings();
  const words = strings.panel;
  const { person, me, blocked } = snapshot;
  const active = snapshot.state === 'active';
  return (
    <div className={styles.person}>
      <Avatar id={person.id} name={person.name} size="xl" presence={snapshot.presence} />
      <h3 className={styles.name}>
        <bdi>{person.name}</bdi>
      </h3>
      <p className={styles.quiet}>
        <bdi>@{person.handle}</bdi> · {strings.common.presence[snapshot.presence]}
      </p>
      <p className={styles.about} dir="auto">
        {aboutText(snapshot, words)}
      </p>
      {blocked && <p className={styles.quiet}>{words.blocked}</p>}
      <div className={styles.ways}>
        {me && (
          <Button icon="edit" onClick={actions.edit}>
            {words.edit}
          </Button>
        )}
        {!me && active && !blocked && (
          <Button look="primary" icon="send" onClick={actions.write}>
            {words.write}
          </Button>
        )}
        {!me && (
          <Button icon="block" onClick={blocked ? actions.unblock : actions.block}>
            {blocked ? words.unblock : words.block}
          </Button>
        )}
        {!me && active && snapshot.canReset && (
          <Button icon="key" onClick={actions.reset}>
            {words.resetPassword}
          </Button>
        )}
      </div>
      {snapshot.resetLink && (
        <div className={styles.link}>
          <TextField
            label={words.resetText}
            readOnly
            value={snapshot.resetLink}
            onFocus={(event) => event.currentTarget.select()}
          />
          <Button icon="copy" onClick={actions.copyReset}>
            {strings.common.copy}
          </Button>
        </div>
      )}
    </div>
  );
}

function aboutText(snapshot: PersonViewSnapshot, words: ReturnType<typeof useStrings>['panel']): string {
  if (snapshot.state === 'closed') return words.closed;
  if (snapshot.state === 'imported' && snapshot.network) return words.imported(snapshot.network);
  return snapshot.about || words.noAbout;
}
