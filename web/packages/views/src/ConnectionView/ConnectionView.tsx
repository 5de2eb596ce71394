import { Icon, type IconName } from '../Icon/Icon';
import { useStrings, type Strings } from '../strings/strings';
import { timeOfDay } from '../text/times';
import styles from './ConnectionView.module.css';

export type ConnectionSnapshot =
  | { state: 'fine' }
  | { state: 'connecting' }
  | {
      state: 'offline';
      since: number;
      /** Nothing while the device itself has no network. */ nextTryIn: number | null;
    }
  | { state: 'refused'; outdated: boolean };

interface Props {
  snapshot: ConnectionSnapshot;
  actions: { tryNow: () => void; reload: () => void };
}

/** A calm line about the connection; nothing while all is well. */
export function ConnectionView({ snapshot, actions }: Props) {
  const strings = useStrings();
  if (snapshot.state === 'fine') return null;
  const offline = snapshot.state === 'offline';
  return (
    <div className={styles.line} data-state={snapshot.state}>
      <Icon name={icon(snapshot)} size={16} />
      <span role="status">{said(snapshot, strings)}</span>
      {offline && snapshot.nextTryIn !== null && (
        <span className={styles.next}>{strings.connection.nextTry(snapshot.nextTryIn)}</span>
      )}
      {offline && (
        <button type="button" className={styles.way} onClick={actions.tryNow}>
          {strings.connection.tryNow}
        </button>
      )}
      {snapshot.state === 'refused' && (
        <button type="button" className={styles.way} onClick={actions.reload}>
          {strings.connection.reload}
        </button>
      )}
    </div>
  );
}

function icon({ state }: ConnectionSnapshot): IconName {
  if (state === 'offline') return 'offline';
  return state === 'refused' ? 'warning' : 'refresh';
}

function said(snapshot: Exclude<ConnectionSnapshot, { state: 'fine' }>, strings: Strings): string {
  const words = strings.connection;
  switch (snapshot.state) {
    case 'connecting':
      return words.connecting;
    case 'offline':
      return (snapshot.nextTryIn === null ? words.noNetwork : words.offline)(timeOfDay(snapshot.since));
    case 'refused':
      return snapshot.outdated ? words.outdated : words.refused;
  }
}
