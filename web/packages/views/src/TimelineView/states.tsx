import { Button } from '../Button/Button';
import { Icon } from '../Icon/Icon';
import { useStrings } from '../strings/strings';
import styles from './states.module.css';

const widths = ['62%', '38%', '74%', '51%', '29%', '66%', '45%'];

/** Shapes of messages; they show themselves only when loading takes longer than a blink. */
export function SkeletonRows({ count }: { count: number }) {
  return (
    <div className={styles.skeleton} aria-hidden="true">
      {Array.from({ length: count }, (_, index) => (
        <div key={index} className={styles.ghost}>
          <span className={styles.face} />
          <span className={styles.lines}>
            <span className={styles.name} />
            <span className={styles.line} style={{ inlineSize: widths[index % widths.length] }} />
          </span>
        </div>
      ))}
    </div>
  );
}

export function SkeletonTimeline() {
  const words = useStrings().timeline;
  return (
    <div className={styles.fill} aria-busy="true" role="status" aria-label={words.loading}>
      <SkeletonRows count={9} />
    </div>
  );
}

export function FailedTimeline({ problem, onRetry }: { problem: string; onRetry: () => void }) {
  const strings = useStrings();
  return (
    <div className={styles.failed} role="alert">
      <Icon name="warning" size={28} />
      <h2>{strings.timeline.failed}</h2>
      <p>{problem}</p>
      <Button icon="refresh" onClick={onRetry}>
        {strings.common.tryAgain}
      </Button>
    </div>
  );
}
