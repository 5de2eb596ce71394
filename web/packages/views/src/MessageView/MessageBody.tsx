import { Icon } from '../Icon/Icon';
import { MarkdownView } from '../Markdown/MarkdownView';
import { useStrings } from '../strings/strings';
import { exactTime, timeOfDay } from '../text/times';
import type { MessageActions, MessageContent, MessageSnapshot } from './message';
import styles from './MessageBody.module.css';

interface Props {
  message: MessageSnapshot;
  actions: MessageActions;
}

export function MessageBody({ message, actions }: Props) {
  return (
    <div className={styles.body}>
      {message.content.type === 'text' ? (
        <TextBody message={message} content={message.content} actions={actions} />
      ) : (
        <Trace message={message} content={message.content} actions={actions} />
      )}
    </div>
  );
}

function TextBody({
  message,
  content,
  actions,
}: Props & { content: Extract<MessageContent, { type: 'text' }> }) {
  const strings = useStrings();
  const edited = message.edited !== null && (
    <span className={styles.edited} title={strings.message.editedAt(exactTime(message.edited))}>
      {' '}
      ({strings.message.edited} {timeOfDay(message.edited)})
    </span>
  );
  const text = (
    <MarkdownView
      text={content.text}
      mentions={content.mentions}
      channels={content.channels}
      onPerson={actions.showPerson}
      after={edited}
    />
  );
  if (!content.emote) return text;
  return (
    <div className={styles.emote}>
      <bdi className={styles.emoteName}>{message.author.name}</bdi> {text}
    </div>
  );
}

function Trace({ message, content, actions }: Props & { content: MessageContent }) {
  const strings = useStrings();
  if (content.type === 'blocked') {
    return (
      <p className={styles.trace}>
        <Icon name="block" size={16} />
        <span>{strings.message.blocked}</span>
        <button type="button" className={styles.show} onClick={() => actions.showBlocked(message.id)}>
          {strings.message.showBlocked}
        </button>
      </p>
    );
  }
  return (
    <p className={styles.trace}>
      <Icon name={content.type === 'deleted' ? 'trash' : 'info'} size={16} />
      <span>{traceWords(content, strings.message)}</span>
    </p>
  );
}

function traceWords(content: MessageContent, words: ReturnType<typeof useStrings>['message']): string {
  switch (content.type) {
    case 'deleted':
      return content.by === null ? words.deleted : words.deletedBy(content.by);
    case 'erased':
      return words.erased;
    case 'notice':
      return content.text;
    default:
      return words.unsupported;
  }
}
