import { IconButton } from '../Button/IconButton';
import type { MenuItem } from '../Menu/Menu';
import { useStrings } from '../strings/strings';
import type { MessageActions, MessageSnapshot } from './message';
import styles from './MessageToolbar.module.css';

interface Props {
  message: MessageSnapshot;
  items: MenuItem[];
  recentEmoji: string[];
  actions: MessageActions;
  onMore: (anchor: HTMLElement) => void;
}

/** What one does most with a message, over its corner while it has the pointer or the focus. */
export function MessageToolbar({ message, items, recentEmoji, actions, onMore }: Props) {
  const words = useStrings().message;
  const quick = items.filter((item) => item.id === 'reply' || item.id === 'edit');
  const canReact = items.some((item) => item.id === 'react');
  if (items.length === 0) return null;
  return (
    <div className={styles.toolbar} role="group" aria-label={words.actions}>
      {canReact &&
        recentEmoji.slice(0, 3).map((emoji) => (
          <button
            key={emoji}
            type="button"
            className={styles.emoji}
            aria-label={words.reactWith(emoji)}
            onClick={() =>
              actions.react(
                message.id,
                emoji,
                !message.reactions.some((had) => had.emoji === emoji && had.mine),
              )
            }
          >
            {emoji}
          </button>
        ))}
      {canReact && (
        <IconButton
          icon="smile"
          size="s"
          tip="above"
          label={words.react}
          keys="+"
          onClick={(event) => actions.pickEmoji(message.id, event.currentTarget)}
        />
      )}
      {quick.map((item) => (
        <IconButton
          key={item.id}
          icon={item.icon ?? 'more'}
          size="s"
          tip="above"
          label={item.label}
          keys={item.keys}
          onClick={(event) => item.onSelect(event.currentTarget)}
        />
      ))}
      <IconButton
        icon="more"
        size="s"
        tip="above"
        label={words.more}
        aria-haspopup="menu"
        onClick={(event) => onMore(event.currentTarget)}
      />
    </div>
  );
}
