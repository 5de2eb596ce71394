import { Avatar } from '../Avatar/Avatar';
import { Icon } from '../Icon/Icon';
import { useStrings } from '../strings/strings';
import { classes } from '../text/classes';
import type { MessageActions, MessageSnapshot, ReceiptSnapshot } from './message';
import styles from './MessageFoot.module.css';

interface Props {
  message: MessageSnapshot;
  actions: MessageActions;
}

/** What stands under a message: pin, reactions, how far it came. */
export function MessageFoot({ message, actions }: Props) {
  const strings = useStrings();
  return (
    <>
      {message.reactions.length > 0 && <Reactions message={message} actions={actions} />}
      {message.pinned && (
        <p className={styles.pinned}>
          <Icon name="pin" size={14} />
          {strings.message.pinned}
        </p>
      )}
      <State message={message} actions={actions} />
      {message.receipt && message.state !== 'failed' && <Receipt receipt={message.receipt} />}
    </>
  );
}

function Reactions({ message, actions }: Props) {
  const words = useStrings().message;
  return (
    <ul className={styles.reactions}>
      {message.reactions.map((reaction) => {
        const more = reaction.count - reaction.names.length;
        const names = words.reactionMore(reaction.names, more);
        return (
          <li key={reaction.emoji}>
            <button
              type="button"
              className={classes(styles.reaction, reaction.mine && styles.mine)}
              aria-pressed={reaction.mine}
              title={names}
              disabled={!message.can.write}
              onClick={() => actions.react(message.id, reaction.emoji, !reaction.mine)}
            >
              <span className={styles.emoji}>{reaction.emoji}</span>
              <span>{reaction.count}</span>
              <span className="visually-hidden"> {words.reactedBy(names)}</span>
            </button>
          </li>
        );
      })}
      {message.can.write && (
        <li>
          <button
            type="button"
            className={styles.reaction}
            aria-label={words.react}
            onClick={(event) => actions.pickEmoji(message.id, event.currentTarget)}
          >
            <Icon name="smile" size={16} />
          </button>
        </li>
      )}
    </ul>
  );
}

function State({ message, actions }: Props) {
  const words = useStrings().message;
  if (message.state === 'sending' || message.state === 'waiting' || message.state === 'accepted') {
    return (
      <p className={styles.state}>
        <Icon name="clock" size={14} />
        {words[message.state]}
      </p>
    );
  }
  if (message.state !== 'failed') return null;
  return (
    <div className={styles.problem}>
      <Icon name="warning" size={16} />
      <span>{words.failed(message.problem ?? '')}</span>
      <span className={styles.ways}>
        <button type="button" onClick={() => actions.retry(message.id)}>
          {words.tryAgain}
        </button>
        <button type="button" onClick={() => actions.copyText(message.id)}>
          {words.copy}
        </button>
        <button type="button" onClick={() => actions.discard(message.id)}>
          {words.discard}
        </button>
      </span>
    </div>
  );
}

function Receipt({ receipt }: { receipt: ReceiptSnapshot }) {
  const words = useStrings().message;
  if (receipt.type !== 'read') {
    return (
      <p className={styles.receipt}>
        <Icon name={receipt.type === 'sent' ? 'check' : 'double'} size={14} />
        <span>{receipt.type === 'sent' ? words.sent : words.delivered}</span>
      </p>
    );
  }
  const { faces, more } = receipt;
  const names = faces.map((face) => face.name).join(', ');
  const label = faces.length === 0 ? words.readByCount(more) : words.readBy(names);
  return (
    <p className={styles.receipt} title={label}>
      <span className="visually-hidden">{label}</span>
      {faces.map((face) => (
        <Avatar key={face.id} id={face.id} name={face.name} size="xs" />
      ))}
      {more > 0 && (
        <span aria-hidden="true">{faces.length === 0 ? words.readByCount(more) : `+${String(more)}`}</span>
      )}
    </p>
  );
}
