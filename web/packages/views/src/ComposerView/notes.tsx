import { Button } from '../Button/Button';
import { IconButton } from '../Button/IconButton';
import { Icon } from '../Icon/Icon';
import { useStrings } from '../strings/strings';
import type { ComposerSnapshot } from './composer';
import styles from './ComposerView.module.css';
import { applyFormat } from './format';
import type { ComposerText } from './useComposerText';

/** What is being answered or changed. */
export function Mode({ snapshot, onLeave }: { snapshot: ComposerSnapshot; onLeave: () => void }) {
  const words = useStrings().composer;
  const { mode } = snapshot;
  if (mode.type === 'new') return null;
  const reply = mode.type === 'reply';
  return (
    <div className={styles.note}>
      <Icon name={reply ? 'reply' : 'edit'} size={16} />
      <span className={styles.noteWords}>
        <strong>{reply ? words.replying(mode.to) : words.editing}</strong>
        {reply && <span dir="auto"> {mode.excerpt}</span>}
      </span>
      <IconButton
        icon="close"
        size="s"
        tip="above"
        label={reply ? words.leaveReply : words.leaveEdit}
        keys="Esc"
        onClick={onLeave}
      />
    </div>
  );
}

interface PasteOfferProps {
  composer: ComposerText;
  pasted: { start: number; end: number };
  onDone: () => void;
}

/** A long paste may have been meant as code. */
export function PasteOffer({ composer, pasted, onDone }: PasteOfferProps) {
  const words = useStrings().composer;
  const makeCode = () => {
    composer.replace(applyFormat('codeBlock', { ...composer.selected(), ...pasted }));
    onDone();
  };
  return (
    <div className={styles.note} role="status">
      <Icon name="codeBlock" size={16} />
      <span className={styles.noteWords}>{words.longPaste}</span>
      <Button small onClick={makeCode}>
        {words.makeCode}
      </Button>
      <Button small look="quiet" onClick={onDone}>
        {words.keepText}
      </Button>
    </div>
  );
}
