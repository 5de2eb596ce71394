import { useState, type SubmitEvent } from 'react';
import { Button } from '../Button/Button';
import { TextField } from '../Field/Field';
import { useStrings } from '../strings/strings';
import { AuthFrame } from './AuthFrame';
import styles from './AuthView.module.css';
import { PasswordField } from './PasswordField';

export interface SignUpSnapshot {
  site: string;
  /** `claim`: the first account, which owns the site. */
  kind: 'invited' | 'open' | 'claim' | 'needs-invite' | 'closed';
  leastPassword: number;
  busy: boolean;
  problem: string | null;
}

export interface SignUpForm {
  name: string;
  displayName: string;
  password: string;
}

export interface SignUpViewProps {
  snapshot: SignUpSnapshot;
  actions: { signUp: (form: SignUpForm) => void };
}

export function SignUpView({ snapshot, actions }: SignUpViewProps) {
  const words = useStrings().auth;
  const footer = (
    <p>
      {words.haveAccount} <a href="/signin">{words.signIn}</a>
    </p>
  );
  if (snapshot.kind === 'closed' || snapshot.kind === 'needs-invite') {
    const closed = snapshot.kind === 'closed';
    return (
      <AuthFrame
        title={closed ? words.closedTitle : words.inviteNeeded}
        text={closed ? words.closedText : words.inviteNeededText}
        footer={footer}
      >
        {null}
      </AuthFrame>
    );
  }
  const claim = snapshot.kind === 'claim';
  return (
    <AuthFrame
      title={claim ? words.claimTitle : words.joinSite(snapshot.site)}
      {...(claim && { text: words.claimText })}
      footer={!claim && footer}
    >
      <Form snapshot={snapshot} actions={actions} />
    </AuthFrame>
  );
}

function Form({ snapshot, actions }: SignUpViewProps) {
  const words = useStrings().auth;
  const [form, setForm] = useState<SignUpForm>({ name: '', displayName: '', password: '' });
  const [tried, setTried] = useState(false);
  const short = form.password.length < snapshot.leastPassword;
  const onSubmit = (event: SubmitEvent) => {
    event.preventDefault();
    setTried(true);
    if (form.name.trim() && !short)
      actions.signUp({ ...form, name: form.name.trim(), displayName: form.displayName.trim() });
  };
  return (
    <form className={styles.form} noValidate onSubmit={onSubmit}>
      <TextField
        label={words.name}
        hint={words.nameHint}
        name="username"
        autoComplete="username"
        autoCapitalize="none"
        spellCheck={false}
        autoFocus
        value={form.name}
        error={tried && !form.name.trim() ? words.missingName : undefined}
        onChange={(event) => setForm({ ...form, name: event.currentTarget.value })}
      />
      <TextField
        label={words.displayName}
        hint={words.displayNameHint}
        name="name"
        autoComplete="name"
        value={form.displayName}
        onChange={(event) => setForm({ ...form, displayName: event.currentTarget.value })}
      />
      <PasswordField
        label={words.password}
        hint={words.passwordHint(snapshot.leastPassword)}
        name="password"
        autoComplete="new-password"
        value={form.password}
        error={tried && short ? words.shortPassword(snapshot.leastPassword) : undefined}
        onChange={(event) => setForm({ ...form, password: event.currentTarget.value })}
      />
      {snapshot.problem && (
        <p className={styles.problem} role="alert">
          {snapshot.problem}
        </p>
      )}
      <Button look="primary" type="submit" busy={snapshot.busy}>
        {words.signUp}
      </Button>
    </form>
  );
}
