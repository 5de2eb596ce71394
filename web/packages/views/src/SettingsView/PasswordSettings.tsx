import { useState, type SubmitEvent } from 'react';
import { PasswordField } from '../AuthView/PasswordField';
import { Button } from '../Button/Button';
import { useStrings } from '../strings/strings';
import styles from './settings.module.css';

interface Props {
  snapshot: { leastPassword: number };
  actions: { change: (current: string, next: string) => Promise<boolean> };
}

export function PasswordSettings({ snapshot, actions }: Props) {
  const strings = useStrings();
  const words = strings.settings;
  const [current, setCurrent] = useState('');
  const [next, setNext] = useState('');
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const short = next.length < snapshot.leastPassword;
  const onSubmit = async (event: SubmitEvent) => {
    event.preventDefault();
    setTried(true);
    if (!current || short) return;
    setBusy(true);
    const worked = await actions.change(current, next);
    setBusy(false);
    if (!worked) return;
    setCurrent('');
    setNext('');
    setTried(false);
  };
  return (
    <form className={styles.form} noValidate onSubmit={(event) => void onSubmit(event)}>
      <PasswordField
        label={words.current}
        autoComplete="current-password"
        value={current}
        error={tried && !current ? strings.auth.missingPassword : undefined}
        onChange={(event) => setCurrent(event.currentTarget.value)}
      />
      <PasswordField
        label={words.next}
        hint={strings.auth.passwordHint(snapshot.leastPassword)}
        autoComplete="new-password"
        value={next}
        error={tried && short ? strings.auth.shortPassword(snapshot.leastPassword) : undefined}
        onChange={(event) => setNext(event.currentTarget.value)}
      />
      <Button look="primary" type="submit" busy={busy}>
        {words.change}
      </Button>
    </form>
  );
}
