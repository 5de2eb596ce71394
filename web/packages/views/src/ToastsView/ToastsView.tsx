import { IconButton } from '../Button/IconButton';
import { Icon } from '../Icon/Icon';
import { useStrings } from '../strings/strings';
import styles from './ToastsView.module.css';

export interface ToastSnapshot {
  id: number;
  text: string;
  tone: 'calm' | 'problem';
  action?: { label: string; onPress: () => void };
}

interface Props {
  toasts: readonly ToastSnapshot[];
  onDismiss: (id: number) => void;
}

/** Short words about what was just done, or could not be. */
export function ToastsView({ toasts, onDismiss }: Props) {
  const strings = useStrings();
  return (
    <div className={styles.toasts} role="status" aria-live="polite">
      {toasts.map((toast) => (
        <div key={toast.id} className={styles.toast} data-tone={toast.tone}>
          <Icon name={toast.tone === 'calm' ? 'check' : 'warning'} size={18} />
          <span className={styles.text}>{toast.text}</span>
          {toast.action && (
            <button
              type="button"
              className={styles.action}
              onClick={() => {
                onDismiss(toast.id);
                toast.action?.onPress();
              }}
            >
              {toast.action.label}
            </button>
          )}
          <IconButton
            icon="close"
            size="s"
            tip="none"
            label={strings.common.close}
            onClick={() => onDismiss(toast.id)}
          />
        </div>
      ))}
    </div>
  );
}
