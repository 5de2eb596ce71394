import { useState } from 'react';
import { IconButton } from '../Button/IconButton';
import { EmojiPicker } from '../EmojiPicker/EmojiPicker';
import type { IconName } from '../Icon/Icon';
import { useStrings } from '../strings/strings';
import type { ComposerActions } from './composer';
import styles from './ComposerView.module.css';
import { applyFormat, type Format } from './format';
import type { ComposerText } from './useComposerText';

const formats: { format: Format; icon: IconName; keys?: string }[] = [
  { format: 'bold', icon: 'bold', keys: 'Ctrl+B' },
  { format: 'italic', icon: 'italic', keys: 'Ctrl+I' },
  { format: 'strike', icon: 'strike' },
  { format: 'code', icon: 'code', keys: 'Ctrl+E' },
  { format: 'codeBlock', icon: 'codeBlock' },
  { format: 'quote', icon: 'quote' },
  { format: 'bullets', icon: 'list' },
];

interface Props {
  composer: ComposerText;
  actions: ComposerActions;
  recent: string[];
  preview: boolean;
  onPreview: (on: boolean) => void;
}

export function FormatBar({ composer, actions, recent, preview, onPreview }: Props) {
  const words = useStrings().composer;
  const [anchor, setAnchor] = useState<HTMLElement | null>(null);
  const insert = (emoji: string) => {
    const { text, start, end } = composer.selected();
    const caret = start + emoji.length;
    composer.replace({ text: text.slice(0, start) + emoji + text.slice(end), start: caret, end: caret });
    actions.emojiUsed(emoji);
  };
  return (
    <div className={styles.formats} role="group" aria-label={words.format}>
      <IconButton
        icon="smile"
        size="s"
        tip="above"
        label={words.emoji}
        aria-haspopup="dialog"
        aria-expanded={anchor !== null}
        disabled={preview}
        onClick={(event) => setAnchor(anchor ? null : event.currentTarget)}
      />
      <span className={styles.wide}>
        {formats.map(({ format, icon, keys }) => (
          <IconButton
            key={format}
            icon={icon}
            size="s"
            tip="above"
            label={words[format]}
            keys={keys}
            disabled={preview}
            onClick={() => composer.replace(applyFormat(format, composer.selected()))}
          />
        ))}
      </span>
      <IconButton
        icon={preview ? 'edit' : 'eye'}
        size="s"
        tip="above"
        label={words.preview}
        aria-pressed={preview}
        onClick={() => onPreview(!preview)}
      />
      {anchor && (
        <EmojiPicker anchor={anchor} recent={recent} onPick={insert} onClose={() => setAnchor(null)} />
      )}
    </div>
  );
}
