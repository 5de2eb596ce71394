import { Logo } from '../Logo/Logo';
import { useStrings } from '../strings/strings';
import styles from './SplashView.module.css';

/** While it is not known yet who is there; shows itself only when that takes long. */
export function SplashView() {
  const { common } = useStrings();
  return (
    <main className={styles.splash} aria-busy="true" aria-label={common.loading}>
      <Logo size={64} />
    </main>
  );
}
