import { useState, type SubmitEvent } from 'react';
import { PasswordField } from '../AuthView/PasswordField';
import { Button } from '../Button/Button';
import { useStrings } from '../strings/strings';
import styles from './settings.module.css';

interface Props {
  actions: { close: (password: string) => Promise<void> };
}

export function CloseAccountSettings({ actions }: Props) {
  const words = useStrings().settings;
  const [password, setPassword] = useState('');
  const [busy, setBusy] = useState(false);
  const onSubmit = (event: SubmitEvent) => {
    event.preventDefault();
    setBusy(true);
    void actions.close(password).finally(() => setBusy(false));
  };
  return (
    <form className={styles.form} onSubmit={onSubmit}>
      <p>{words.closeText}</p>
      <PasswordField
        label={words.closeConfirm}
        autoComplete="current-password"
        value={password}
        onChange={(event) => setPassword(event.currentTarget.value)}
      />
      <Button look="danger" type="submit" busy={busy} disabled={!password}>
        {words.closeButton}
      </Button>
    </form>
  );
}
