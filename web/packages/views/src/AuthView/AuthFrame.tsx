import type { ReactNode } from 'react';
import { Logo } from '../Logo/Logo';
import { useStrings } from '../strings/strings';
import styles from './AuthView.module.css';

export interface AuthFrameProps {
  title: string;
  text?: string;
  /** A word before anything else: why one is here. */
  note?: string | null;
  children: ReactNode;
  footer?: ReactNode;
}

/** The page around signing in and up. */
export function AuthFrame({ title, text, note, children, footer }: AuthFrameProps) {
  const strings = useStrings();
  return (
    <main className={styles.page}>
      <div className={styles.brand}>
        <Logo size={44} />
        <span className={styles.word}>{strings.common.appName}</span>
        <span className={styles.tagline}>{strings.auth.tagline}</span>
      </div>
      <div className={styles.card}>
        <h1 className={styles.title}>{title}</h1>
        {text && <p className={styles.text}>{text}</p>}
        {note && (
          <p className={styles.noteLine} role="status">
            {note}
          </p>
        )}
        {children}
      </div>
      {footer && <div className={styles.footer}>{footer}</div>}
    </main>
  );
}
