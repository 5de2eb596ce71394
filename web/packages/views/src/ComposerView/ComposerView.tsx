import { useEffect, useId, useState, type ClipboardEvent, type KeyboardEvent } from 'react';
import { IconButton } from '../Button/IconButton';
import { MarkdownView } from '../Markdown/MarkdownView';
import { useStrings } from '../strings/strings';
import { classes } from '../text/classes';
import { CompletionList } from './CompletionList';
import type { ComposerActions, ComposerSnapshot } from './composer';
import styles from './ComposerView.module.css';
import { applyFormat, bytesLeft, type Format } from './format';
import { FormatBar } from './FormatBar';
import { Mode, PasteOffer } from './notes';
import { useCompletions, type Completions } from './useCompletions';
import { useComposerText, type ComposerText } from './useComposerText';

export interface ComposerViewProps {
  snapshot: ComposerSnapshot;
  actions: ComposerActions;
}

const longPaste = 600;
const shortcuts: Record<string, Format> = { b: 'bold', i: 'italic', e: 'code' };

export function ComposerView({ snapshot, actions }: ComposerViewProps) {
  const strings = useStrings();
  const composer = useComposerText(snapshot, actions.changed);
  const completions = useCompletions(composer, actions.complete);
  const [preview, setPreview] = useState(false);
  const [pasted, setPasted] = useState<{ start: number; end: number } | null>(null);
  const { text } = composer;
  const left = bytesLeft(text, snapshot.limit);
  const ready = text.trim() !== '' && left >= 0;
  const send = () => {
    if (!ready) return;
    setPreview(false);
    setPasted(null);
    completions.close();
    composer.setText('');
    actions.send(text);
  };
  useFocusOnChange(composer, snapshot);
  if (snapshot.closed !== null) return <p className={styles.closed}>{snapshot.closed}</p>;
  return (
    <form
      className={styles.composer}
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <Mode snapshot={snapshot} onLeave={actions.leave} />
      {pasted && <PasteOffer composer={composer} pasted={pasted} onDone={() => setPasted(null)} />}
      <div className={styles.box}>
        {preview ? (
          <Preview text={text} />
        ) : (
          <TextBox
            snapshot={snapshot}
            actions={actions}
            composer={composer}
            completions={completions}
            onSend={send}
            onLongPaste={setPasted}
          />
        )}
        <div className={styles.bar}>
          <FormatBar
            composer={composer}
            actions={actions}
            recent={snapshot.recentEmoji}
            preview={preview}
            onPreview={setPreview}
          />
          <Left left={left} limit={snapshot.limit} />
          <IconButton
            icon={snapshot.mode.type === 'edit' ? 'check' : 'send'}
            label={snapshot.mode.type === 'edit' ? strings.composer.save : strings.composer.send}
            tip="above"
            type="submit"
            disabled={!ready}
            className={classes(styles.send, ready && styles.ready)}
          />
        </div>
      </div>
    </form>
  );
}

/** The caret goes to the text when a reply or an edit begins, and on wide screens with each conversation. */
function useFocusOnChange({ focus }: ComposerText, { key, mode }: ComposerSnapshot) {
  useEffect(() => {
    const touch = window.matchMedia('(pointer: coarse)').matches;
    if (!touch || mode.type !== 'new') focus();
  }, [focus, key, mode.type]);
}

interface TextBoxProps extends ComposerViewProps {
  composer: ComposerText;
  completions: Completions;
  onSend: () => void;
  onLongPaste: (range: { start: number; end: number }) => void;
}

function TextBox({ snapshot, actions, composer, completions, onSend, onLongPaste }: TextBoxProps) {
  const strings = useStrings();
  const { attach, text, setText } = composer;
  const id = useId();
  const open = completions.items.length > 0;
  const onPaste = (event: ClipboardEvent<HTMLTextAreaElement>) => {
    const added = event.clipboardData.getData('text/plain');
    const start = event.currentTarget.selectionStart;
    if (added.length > longPaste && added.includes('\n'))
      onLongPaste({ start, end: start + added.replace(/\r\n?/gu, '\n').length });
  };
  return (
    <>
      {open && (
        <CompletionList
          id={id}
          items={completions.items}
          chosen={completions.chosen}
          onPick={completions.pick}
        />
      )}
      <textarea
        ref={attach}
        className={styles.text}
        rows={1}
        dir="auto"
        value={text}
        placeholder={strings.composer.placeholder(snapshot.name)}
        aria-label={strings.composer.label(snapshot.name)}
        aria-autocomplete="list"
        aria-controls={open ? id : undefined}
        aria-activedescendant={open ? `${id}-${String(completions.chosen)}` : undefined}
        enterKeyHint={snapshot.enterSends ? 'send' : 'enter'}
        onChange={(event) => {
          setText(event.currentTarget.value);
          completions.look(event.currentTarget.value, event.currentTarget.selectionStart);
        }}
        onPaste={onPaste}
        onBlur={completions.close}
        onKeyDown={(event) => {
          if (!completions.onKey(event)) onComposerKey(event, snapshot, actions, composer, onSend);
        }}
      />
    </>
  );
}

function onComposerKey(
  event: KeyboardEvent,
  snapshot: ComposerSnapshot,
  actions: ComposerActions,
  composer: ComposerText,
  send: () => void,
): void {
  if (event.nativeEvent.isComposing) return;
  const control = event.ctrlKey || event.metaKey;
  const plain = !control && !event.altKey && !event.shiftKey;
  const format = control && !event.altKey ? shortcuts[event.key.toLowerCase()] : undefined;
  if (event.key === 'Enter' && (control || (snapshot.enterSends && !event.shiftKey))) send();
  else if (format) composer.replace(applyFormat(format, composer.selected()));
  else if (event.key === 'ArrowUp' && plain && composer.text === '' && snapshot.mode.type === 'new')
    actions.editLast();
  else if (event.key === 'Escape' && actions.leave()) event.stopPropagation();
  else return;
  event.preventDefault();
}

function Preview({ text }: { text: string }) {
  const words = useStrings().composer;
  return (
    <div className={styles.preview} role="region" aria-label={words.previewLabel} tabIndex={0}>
      {text.trim() ? <MarkdownView text={text} /> : <p>{words.previewEmpty}</p>}
    </div>
  );
}

/** How much may still be written: said from nine tenths on. */
function Left({ left, limit }: { left: number; limit: number }) {
  const words = useStrings().composer;
  if (left > limit / 10) return null;
  return (
    <span className={classes(styles.left, left < 0 && styles.over)} role="status">
      {left >= 0 ? words.left(left) : words.over(-left)}
    </span>
  );
}
