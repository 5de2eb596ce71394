import { Button } from '../Button/Button';
import { Icon } from '../Icon/Icon';
import { useStrings } from '../strings/strings';
import styles from './NotifyAskView.module.css';

interface Props {
  onYes: () => void;
  onNo: () => void;
}

/** Asks whether to tell of new messages, before the browser is asked. */
export function NotifyAskView({ onYes, onNo }: Props) {
  const words = useStrings().dialogs;
  return (
    <section className={styles.ask} aria-label={words.notifyTitle}>
      <Icon name="bell" size={22} />
      <div className={styles.words}>
        <p className={styles.title}>{words.notifyTitle}</p>
        <p className={styles.text}>{words.notifyText}</p>
        <div className={styles.ways}>
          <Button small look="primary" onClick={onYes}>
            {words.notifyYes}
          </Button>
          <Button small look="quiet" onClick={onNo}>
            {words.notifyNo}
          </Button>
        </div>
      </div>
    </section>
  );
}
