import { Icon } from '../Icon/Icon';
import { useStrings } from '../strings/strings';
import type { ReplySnapshot } from './message';
import styles from './ReplyLine.module.css';

interface Props {
  reply: ReplySnapshot;
  onShow: (reply: { id: string; seq: number | null }) => void;
}

/** One line of what a message answers; leads there. */
export function ReplyLine({ reply, onShow }: Props) {
  const words = useStrings().message;
  if (reply.state === 'gone') {
    return (
      <p className={styles.line}>
        <Icon name="reply" size={14} />
        <span className={styles.excerpt}>{words.replyGone}</span>
      </p>
    );
  }
  return (
    <button type="button" className={styles.line} onClick={() => onShow({ id: reply.id, seq: reply.seq })}>
      <Icon name="reply" size={14} />
      {reply.state === 'far' ? (
        <span className={styles.excerpt}>{words.replyFar}</span>
      ) : (
        <>
          <span className="visually-hidden">{words.replyTo(reply.author)}: </span>
          <bdi className={styles.author} aria-hidden="true">
            {reply.author}
          </bdi>
          <span className={styles.excerpt} dir="auto">
            {reply.excerpt}
          </span>
        </>
      )}
    </button>
  );
}
