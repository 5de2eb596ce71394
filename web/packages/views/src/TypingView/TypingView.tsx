import { useStrings } from '../strings/strings';
import styles from './TypingView.module.css';

/** Who is typing; its line is there also while nobody is, so that nothing moves. */
export function TypingView({ names }: { names: string[] }) {
  const words = useStrings().timeline;
  return (
    <p className={styles.line} aria-live="off">
      {names.length > 0 && (
        <>
          <span className={styles.dots} aria-hidden="true">
            <span />
            <span />
            <span />
          </span>
          {words.typing(names)}
        </>
      )}
    </p>
  );
}
