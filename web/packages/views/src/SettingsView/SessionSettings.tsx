import { Button } from '../Button/Button';
import { Icon } from '../Icon/Icon';
import { ListSkeleton } from '../MembersView/ListSkeleton';
import { useStrings } from '../strings/strings';
import { ago } from '../text/times';
import styles from './settings.module.css';

export interface DeviceSnapshot {
  id: string;
  name: string;
  createdAt: number;
  lastUsedAt: number;
  current: boolean;
}

interface Props {
  snapshot: { devices: DeviceSnapshot[]; loading: boolean; now: number };
  actions: { revoke: (id: string) => void; signOut: () => void };
}

export function SessionSettings({ snapshot, actions }: Props) {
  const words = useStrings().settings;
  if (snapshot.loading) return <ListSkeleton count={3} />;
  return (
    <div className={styles.form}>
      <ul className={styles.list}>
        {snapshot.devices.map((device) => (
          <li key={device.id} className={styles.item}>
            <Icon name="devices" />
            <div className={styles.grow}>
              <p className={styles.strong}>
                {device.name} {device.current && <span className={styles.tag}>{words.thisDevice}</span>}
              </p>
              <p className={styles.soft}>
                {words.lastUsed(ago(device.lastUsedAt, snapshot.now))} ·{' '}
                {words.signedInSince(ago(device.createdAt, snapshot.now))}
              </p>
            </div>
            {!device.current && (
              <Button
                small
                aria-label={words.signOutDeviceNamed(device.name)}
                onClick={() => actions.revoke(device.id)}
              >
                {words.signOutDevice}
              </Button>
            )}
          </li>
        ))}
      </ul>
      <Button icon="leave" onClick={actions.signOut}>
        {words.signOut}
      </Button>
    </div>
  );
}
