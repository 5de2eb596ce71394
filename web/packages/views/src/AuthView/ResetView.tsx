import { useState, type SubmitEvent } from 'react';
import { Button } from '../Button/Button';
import { useStrings } from '../strings/strings';
import { AuthFrame } from './AuthFrame';
import styles from './AuthView.module.css';
import { PasswordField } from './PasswordField';

export interface ResetSnapshot {
  /** `broken`: the link has no token. */
  state: 'ready' | 'busy' | 'done' | 'broken';
  leastPassword: number;
  problem: string | null;
}

export interface ResetViewProps {
  snapshot: ResetSnapshot;
  actions: { reset: (password: string) => void };
}

export function ResetView({ snapshot, actions }: ResetViewProps) {
  const words = useStrings().auth;
  const [password, setPassword] = useState('');
  const [tried, setTried] = useState(false);
  const short = password.length < snapshot.leastPassword;
  const footer = <a href="/signin">{words.signIn}</a>;
  if (snapshot.state === 'broken' || snapshot.state === 'done') {
    const note = snapshot.state === 'done' ? words.resetDone : words.resetNoToken;
    return (
      <AuthFrame title={words.resetTitle} note={note} footer={footer}>
        {null}
      </AuthFrame>
    );
  }
  const onSubmit = (event: SubmitEvent) => {
    event.preventDefault();
    setTried(true);
    if (!short) actions.reset(password);
  };
  return (
    <AuthFrame title={words.resetTitle} text={words.resetText} footer={footer}>
      <form className={styles.form} noValidate onSubmit={onSubmit}>
        <PasswordField
          label={words.newPassword}
          hint={words.passwordHint(snapshot.leastPassword)}
          name="password"
          autoComplete="new-password"
          autoFocus
          value={password}
          error={tried && short ? words.shortPassword(snapshot.leastPassword) : undefined}
          onChange={(event) => setPassword(event.currentTarget.value)}
        />
        {snapshot.problem && (
          <p className={styles.problem} role="alert">
            {snapshot.problem}
          </p>
        )}
        <Button look="primary" type="submit" busy={snapshot.state === 'busy'}>
          {words.resetTitle}
        </Button>
      </form>
    </AuthFrame>
  );
}
