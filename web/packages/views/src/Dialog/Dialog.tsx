import { useEffect, useId, useRef, type ReactNode } from 'react';
import { IconButton } from '../Button/IconButton';
import { useStrings } from '../strings/strings';
import { classes } from '../text/classes';
import styles from './Dialog.module.css';

export interface DialogProps {
  title: string;
  onClose: () => void;
  children: ReactNode;
  /** Buttons at the end, in the order of reading. */
  footer?: ReactNode;
  size?: 's' | 'm' | 'l';
  /** The title is only for screen readers. */
  bare?: boolean;
}

/** A modal dialog: the browser keeps the focus inside, and gives it back to where it came from. */
export function Dialog({ title, onClose, children, footer, size = 'm', bare = false }: DialogProps) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  const strings = useStrings();
  useModal(ref);
  return (
    <dialog
      ref={ref}
      className={classes(styles.dialog, styles[size], bare && styles.bare)}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onMouseDown={(event) => {
        if (event.target === ref.current) onClose();
      }}
    >
      <div className={styles.box}>
        <header className={bare ? 'visually-hidden' : styles.header}>
          <h2 id={id} className={styles.title}>
            {title}
          </h2>
          {!bare && <IconButton icon="close" label={strings.common.close} keys="Esc" onClick={onClose} />}
        </header>
        <div className={styles.body}>{children}</div>
        {footer && <footer className={styles.footer}>{footer}</footer>}
      </div>
    </dialog>
  );
}

function useModal(ref: React.RefObject<HTMLDialogElement | null>) {
  useEffect(() => {
    const dialog = ref.current;
    if (!dialog) return;
    const before = document.activeElement;
    if (!dialog.open) dialog.showModal();
    dialog.querySelector<HTMLElement>('[data-autofocus]')?.focus();
    return () => {
      dialog.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, [ref]);
}
