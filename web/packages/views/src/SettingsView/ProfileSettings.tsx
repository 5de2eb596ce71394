import { useState, type SubmitEvent } from 'react';
import { Avatar } from '../Avatar/Avatar';
import { Button } from '../Button/Button';
import { TextArea, TextField } from '../Field/Field';
import { useStrings } from '../strings/strings';
import styles from './settings.module.css';

interface Props {
  snapshot: { id: string; handle: string; displayName: string; about: string };
  actions: { save: (profile: { displayName: string; about: string }) => Promise<void> };
}

export function ProfileSettings({ snapshot, actions }: Props) {
  const strings = useStrings();
  const words = strings.settings;
  const [displayName, setDisplayName] = useState(snapshot.displayName);
  const [about, setAbout] = useState(snapshot.about);
  const [busy, setBusy] = useState(false);
  const changed = displayName !== snapshot.displayName || about !== snapshot.about;
  const onSubmit = (event: SubmitEvent) => {
    event.preventDefault();
    setBusy(true);
    void actions.save({ displayName: displayName.trim(), about: about.trim() }).finally(() => setBusy(false));
  };
  return (
    <form className={styles.form} onSubmit={onSubmit}>
      <div className={styles.who}>
        <Avatar id={snapshot.id} name={displayName || snapshot.handle} size="l" />
        <div>
          <p className={styles.strong}>
            <bdi>{displayName || snapshot.handle}</bdi>
          </p>
          <p className={styles.soft}>
            <bdi>@{snapshot.handle}</bdi>
          </p>
        </div>
      </div>
      <TextField
        label={words.displayName}
        autoComplete="name"
        maxLength={80}
        value={displayName}
        onChange={(event) => setDisplayName(event.currentTarget.value)}
      />
      <TextArea
        label={words.about}
        hint={words.aboutHint}
        maxLength={500}
        value={about}
        onChange={(event) => setAbout(event.currentTarget.value)}
      />
      <div>
        <p className={styles.strong}>{words.handle}</p>
        <p>
          <bdi>@{snapshot.handle}</bdi>
        </p>
        <p className={styles.soft}>{words.handleHint}</p>
      </div>
      <Button look="primary" type="submit" busy={busy} disabled={!changed}>
        {strings.common.save}
      </Button>
    </form>
  );
}
