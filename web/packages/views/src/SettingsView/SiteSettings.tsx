import { useState, type SubmitEvent } from 'react';
import { Button } from '../Button/Button';
import { Choice } from '../Field/Choice';
import { TextField } from '../Field/Field';
import { useStrings } from '../strings/strings';
import styles from './settings.module.css';

export type Registration = 'open' | 'invite' | 'closed';

interface Props {
  snapshot: { name: string; registration: Registration };
  actions: { rename: (name: string) => Promise<void>; setRegistration: (registration: Registration) => void };
}

export function SiteSettings({ snapshot, actions }: Props) {
  const strings = useStrings();
  const words = strings.settings;
  const [name, setName] = useState(snapshot.name);
  const [busy, setBusy] = useState(false);
  const onSubmit = (event: SubmitEvent) => {
    event.preventDefault();
    if (!name.trim()) return;
    setBusy(true);
    void actions.rename(name.trim()).finally(() => setBusy(false));
  };
  return (
    <div className={styles.form}>
      <form className={styles.beside} onSubmit={onSubmit}>
        <TextField
          label={words.siteName}
          maxLength={80}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <Button type="submit" busy={busy} disabled={name.trim() === snapshot.name || !name.trim()}>
          {strings.common.save}
        </Button>
      </form>
      <Choice
        label={words.registration}
        value={snapshot.registration}
        onChange={actions.setRegistration}
        options={[
          { value: 'invite', label: words.invite, hint: words.inviteHint },
          { value: 'open', label: words.open, hint: words.openHint },
          { value: 'closed', label: words.closed, hint: words.closedHint },
        ]}
      />
    </div>
  );
}
