import type { ReactNode } from 'react';
import { IconButton } from '../Button/IconButton';
import { useStrings } from '../strings/strings';
import styles from './PanelFrame.module.css';

interface Props {
  title: string;
  onClose: () => void;
  children: ReactNode;
}

/** The side panel around what it shows. */
export function PanelFrame({ title, onClose, children }: Props) {
  const words = useStrings().panel;
  return (
    <>
      <header className={styles.header}>
        <h2 className={styles.title}>{title}</h2>
        <IconButton icon="close" label={words.close} keys="Esc" onClick={onClose} />
      </header>
      <div className={styles.body}>{children}</div>
    </>
  );
}
