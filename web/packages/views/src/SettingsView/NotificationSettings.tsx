import { Button } from '../Button/Button';
import { Switch } from '../Field/Choice';
import { TextField } from '../Field/Field';
import { useStrings } from '../strings/strings';
import styles from './settings.module.css';

export interface NotificationSnapshot {
  /** `denied` and `unsupported` are the browser's word, not ours. */
  permission: 'default' | 'granted' | 'denied' | 'unsupported';
  on: boolean;
  quiet: { on: boolean; from: number; until: number };
}

interface Props {
  snapshot: NotificationSnapshot;
  actions: {
    ask: () => void;
    setOn: (on: boolean) => void;
    setQuiet: (quiet: NotificationSnapshot['quiet']) => void;
  };
}

const clock = (minutes: number) =>
  `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;

function minutesOf(time: string): number | null {
  const [hours, minutes] = time.split(':').map(Number);
  return hours === undefined || minutes === undefined || Number.isNaN(hours + minutes)
    ? null
    : hours * 60 + minutes;
}

export function NotificationSettings({ snapshot, actions }: Props) {
  const words = useStrings().settings;
  const { quiet, permission } = snapshot;
  const refused = permission === 'denied' || permission === 'unsupported';
  const set = (key: 'from' | 'until') => (event: { currentTarget: HTMLInputElement }) => {
    const minutes = minutesOf(event.currentTarget.value);
    if (minutes !== null) actions.setQuiet({ ...quiet, [key]: minutes });
  };
  return (
    <div className={styles.form}>
      {refused && <p className={styles.note}>{words.notifyBlocked}</p>}
      {permission === 'default' && (
        <div className={styles.note}>
          <p>{words.notifyOff}</p>
          <Button look="primary" icon="bell" onClick={actions.ask}>
            {words.notifyAsk}
          </Button>
        </div>
      )}
      {permission === 'granted' && (
        <Switch label={words.notifyEnable} checked={snapshot.on} onChange={actions.setOn} />
      )}
      <Switch
        label={words.dnd}
        hint={words.dndHint}
        checked={quiet.on}
        onChange={(on) => actions.setQuiet({ ...quiet, on })}
      />
      {quiet.on && (
        <div className={styles.pair}>
          <TextField label={words.from} type="time" value={clock(quiet.from)} onChange={set('from')} />
          <TextField label={words.until} type="time" value={clock(quiet.until)} onChange={set('until')} />
        </div>
      )}
    </div>
  );
}
