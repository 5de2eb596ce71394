import { Icon } from '../Icon/Icon';
import { useStrings } from '../strings/strings';
import { classes } from '../text/classes';
import styles from './LatestButton.module.css';

export function LatestButton({ count, onPress }: { count: number; onPress: () => void }) {
  const words = useStrings().timeline;
  return (
    <button type="button" className={classes(styles.latest, count > 0 && styles.fresh)} onClick={onPress}>
      {count > 0 ? words.latestNew(count) : words.latest}
      <Icon name="arrowDown" size={16} />
    </button>
  );
}
