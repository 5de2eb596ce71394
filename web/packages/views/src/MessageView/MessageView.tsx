import { memo, useRef, useState, type KeyboardEvent } from 'react';
import { Avatar } from '../Avatar/Avatar';
import { Menu } from '../Menu/Menu';
import { useStrings } from '../strings/strings';
import { classes } from '../text/classes';
import { exactTime, timeOfDay } from '../text/times';
import { itemForKey, menuItems } from './menuItems';
import type { MessageActions, MessageSnapshot } from './message';
import { MessageBody } from './MessageBody';
import { MessageFoot } from './MessageFoot';
import { MessageToolbar } from './MessageToolbar';
import { ReplyLine } from './ReplyLine';
import { useLongPress } from './useLongPress';
import styles from './MessageView.module.css';

export interface MessageViewProps {
  message: MessageSnapshot;
  /** Follows another one of the same author: no name, no face. */
  grouped: boolean;
  /** Marked for a moment, because a link led here. */
  flashed?: boolean;
  /** In the order of Tab: one message of the list is. */
  reachable?: boolean;
  recentEmoji: string[];
  actions: MessageActions;
}

export const MessageView = memo(function MessageView(props: MessageViewProps) {
  const { message, grouped, flashed, reachable, recentEmoji, actions } = props;
  const strings = useStrings();
  const row = useRef<HTMLElement>(null);
  const [active, setActive] = useState(false);
  const [menuAt, setMenuAt] = useState<HTMLElement | null>(null);
  const items = active || menuAt ? menuItems(message, actions, strings) : [];
  const press = useLongPress(() => setMenuAt(row.current));
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.target !== row.current || event.ctrlKey || event.metaKey || event.altKey) return;
    const open = event.key === 'Enter' || event.key === 'ContextMenu';
    const item = open ? null : itemForKey(items, event.key);
    if (!open && !item) return;
    event.preventDefault();
    if (open) setMenuAt(row.current);
    else item?.onSelect(row.current);
  };
  return (
    <article
      ref={row}
      className={rowClasses(props)}
      tabIndex={reachable ? 0 : -1}
      data-message={message.id}
      aria-label={strings.message.by(message.author.name, timeOfDay(message.at))}
      // Not `enter`: React does not hear of it when what the pointer was on before has left the page.
      onPointerOver={(event) => event.pointerType === 'mouse' && setActive(true)}
      onPointerLeave={() => setActive(row.current?.contains(document.activeElement) ?? false)}
      onFocus={() => setActive(true)}
      onBlur={(event) => setActive(event.currentTarget.contains(event.relatedTarget))}
      onKeyDown={onKeyDown}
      {...press}
      data-flashed={flashed || undefined}
    >
      {message.reply && <ReplyLine reply={message.reply} onShow={actions.showReplied} />}
      <MessageSide message={message} grouped={grouped} actions={actions} />
      <div className={styles.main}>
        {!grouped && <MessageHead message={message} actions={actions} />}
        <MessageBody message={message} actions={actions} />
        <MessageFoot message={message} actions={actions} />
      </div>
      {active && (
        <MessageToolbar
          message={message}
          items={items}
          recentEmoji={recentEmoji}
          actions={actions}
          onMore={setMenuAt}
        />
      )}
      {menuAt && (
        <Menu label={strings.message.actions} items={items} anchor={menuAt} onClose={() => setMenuAt(null)} />
      )}
    </article>
  );
});

function rowClasses({ message, grouped, flashed }: MessageViewProps): string {
  return classes(
    styles.row,
    grouped && styles.grouped,
    message.mentionsMe && styles.mentionsMe,
    flashed && styles.flashed,
    ['sending', 'waiting', 'accepted'].includes(message.state) && styles.sending,
  );
}

type PartProps = Pick<MessageViewProps, 'message' | 'actions'>;

function MessageSide({ message, grouped, actions }: PartProps & { grouped: boolean }) {
  if (grouped) {
    return (
      <time
        className={styles.sideTime}
        dateTime={new Date(message.at).toISOString()}
        title={exactTime(message.at)}
      >
        {timeOfDay(message.at)}
      </time>
    );
  }
  return (
    <button
      type="button"
      className={styles.face}
      tabIndex={-1}
      aria-hidden="true"
      onClick={(event) => actions.showPerson(message.author.id, event.currentTarget)}
    >
      <Avatar id={message.author.id} name={message.author.name} />
    </button>
  );
}

function MessageHead({ message, actions }: PartProps) {
  const strings = useStrings();
  return (
    <div className={styles.head}>
      <button
        type="button"
        className={styles.author}
        onClick={(event) => actions.showPerson(message.author.id, event.currentTarget)}
      >
        <bdi>{message.author.name}</bdi>
      </button>
      <time
        className={styles.time}
        dateTime={new Date(message.at).toISOString()}
        title={exactTime(message.at)}
      >
        {timeOfDay(message.at)}
      </time>
      {message.origin && <span className={styles.time}>{strings.message.via(message.origin)}</span>}
    </div>
  );
}
