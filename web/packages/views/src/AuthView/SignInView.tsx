import { useState, type SubmitEvent } from 'react';
import { Button } from '../Button/Button';
import { TextField } from '../Field/Field';
import { useStrings } from '../strings/strings';
import { AuthFrame } from './AuthFrame';
import styles from './AuthView.module.css';
import { PasswordField } from './PasswordField';

export interface SignInSnapshot {
  site: string;
  canSignUp: boolean;
  busy: boolean;
  /** Why it did not work, in words. */
  problem: string | null;
  /** Why one is here. */
  note: string | null;
}

export interface SignInViewProps {
  snapshot: SignInSnapshot;
  actions: { signIn: (name: string, password: string) => void };
}

export function SignInView({ snapshot, actions }: SignInViewProps) {
  const words = useStrings().auth;
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const [tried, setTried] = useState(false);
  const onSubmit = (event: SubmitEvent) => {
    event.preventDefault();
    setTried(true);
    if (name.trim() && password) actions.signIn(name.trim(), password);
  };
  return (
    <AuthFrame
      title={words.welcomeTo(snapshot.site)}
      note={snapshot.note}
      footer={snapshot.canSignUp && <SignUpHint />}
    >
      <form className={styles.form} noValidate onSubmit={onSubmit}>
        <TextField
          label={words.name}
          name="username"
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          autoFocus
          value={name}
          error={tried && !name.trim() ? words.missingName : undefined}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <PasswordField
          label={words.password}
          name="password"
          autoComplete="current-password"
          value={password}
          error={tried && !password ? words.missingPassword : undefined}
          onChange={(event) => setPassword(event.currentTarget.value)}
        />
        {snapshot.problem && (
          <p className={styles.problem} role="alert">
            {snapshot.problem}
          </p>
        )}
        <Button look="primary" type="submit" busy={snapshot.busy}>
          {snapshot.busy ? words.signingIn : words.signIn}
        </Button>
        <p className={styles.small}>{words.forgot}</p>
      </form>
    </AuthFrame>
  );
}

function SignUpHint() {
  const words = useStrings().auth;
  return (
    <p>
      {words.noAccount} <a href="/signup">{words.signUp}</a>
    </p>
  );
}
