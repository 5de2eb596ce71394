import { Avatar } from '../Avatar/Avatar';
import { Button } from '../Button/Button';
import { EmptyView } from '../EmptyView/EmptyView';
import { MarkdownView } from '../Markdown/MarkdownView';
import { ListSkeleton } from '../MembersView/ListSkeleton';
import type { MessageSnapshot } from '../MessageView/message';
import { useStrings } from '../strings/strings';
import { dayLabel } from '../text/times';
import styles from './PinsView.module.css';

export interface PinsSnapshot {
  pins: MessageSnapshot[];
  loading: boolean;
  now: number;
}

interface Props {
  snapshot: PinsSnapshot;
  actions: { show: (id: string) => void; unpin: (id: string) => void };
}

export function PinsView({ snapshot, actions }: Props) {
  const strings = useStrings();
  if (snapshot.loading) return <ListSkeleton />;
  if (snapshot.pins.length === 0) {
    return <EmptyView icon="pin" title={strings.panel.noPins} text={strings.panel.noPinsText} />;
  }
  return (
    <ul className={styles.pins}>
      {snapshot.pins.map((pin) => (
        <li key={pin.id} className={styles.pin}>
          <p className={styles.head}>
            <Avatar id={pin.author.id} name={pin.author.name} size="s" />
            <bdi className={styles.author}>{pin.author.name}</bdi>
            <time className={styles.time} dateTime={new Date(pin.at).toISOString()}>
              {dayLabel(pin.at, snapshot.now)}
            </time>
          </p>
          {pin.content.type === 'text' && (
            <div className={styles.text}>
              <MarkdownView
                text={pin.content.text}
                mentions={pin.content.mentions}
                channels={pin.content.channels}
              />
            </div>
          )}
          <p className={styles.ways}>
            <Button small look="quiet" onClick={() => actions.show(pin.id)}>
              {strings.panel.jump}
            </Button>
            {pin.can.pin && (
              <Button small look="quiet" onClick={() => actions.unpin(pin.id)}>
                {strings.message.unpin}
              </Button>
            )}
          </p>
        </li>
      ))}
    </ul>
  );
}
