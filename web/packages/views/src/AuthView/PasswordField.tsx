import { useState } from 'react';
import { TextField, type TextFieldProps } from '../Field/Field';
import { IconButton } from '../Button/IconButton';
import { useStrings } from '../strings/strings';
import styles from './AuthView.module.css';

/** A password, which can be looked at. */
export function PasswordField(props: TextFieldProps) {
  const strings = useStrings();
  const [shown, setShown] = useState(false);
  return (
    <div className={styles.password}>
      <TextField {...props} type={shown ? 'text' : 'password'} autoCapitalize="none" spellCheck={false} />
      <IconButton
        icon="eye"
        size="s"
        tip="none"
        className={styles.eye}
        label={strings.auth.showPassword}
        aria-pressed={shown}
        onClick={() => setShown(!shown)}
      />
    </div>
  );
}
