import { Avatar, type Presence } from '../Avatar/Avatar';
import { IconButton } from '../Button/IconButton';
import { Icon } from '../Icon/Icon';
import { useStrings } from '../strings/strings';
import styles from './ConversationHeaderView.module.css';

export type Side = 'details' | 'members' | 'pins';

export interface ConversationHeaderSnapshot {
  kind: 'direct' | 'group' | 'channel';
  name: string;
  topic: string;
  members: number;
  peer: { id: string; presence: Presence } | null;
  side: Side | null;
}

export interface ConversationHeaderActions {
  back: () => void;
  show: (side: Side) => void;
}

interface Props {
  snapshot: ConversationHeaderSnapshot;
  actions: ConversationHeaderActions;
}

export function ConversationHeaderView({ snapshot, actions }: Props) {
  const strings = useStrings();
  const words = strings.timeline;
  const button = (side: Side, icon: 'info' | 'people' | 'pin', label: string) => (
    <IconButton
      icon={icon}
      label={label}
      aria-pressed={snapshot.side === side}
      onClick={() => actions.show(side)}
    />
  );
  return (
    <header className={styles.header}>
      <IconButton icon="back" label={strings.common.back} className={styles.back} onClick={actions.back} />
      <Sign snapshot={snapshot} />
      <button type="button" className={styles.words} onClick={() => actions.show('details')}>
        <h2 className={styles.name}>
          <bdi>{snapshot.name}</bdi>
        </h2>
        <span className={styles.topic} dir="auto">
          {secondLine(snapshot, strings)}
        </span>
      </button>
      {button('pins', 'pin', words.openPins)}
      {snapshot.kind !== 'direct' && button('members', 'people', words.openMembers)}
      {button('details', 'info', words.openDetails)}
    </header>
  );
}

function Sign({ snapshot }: Pick<Props, 'snapshot'>) {
  if (snapshot.peer)
    return <Avatar id={snapshot.peer.id} name={snapshot.name} size="s" presence={snapshot.peer.presence} />;
  return (
    <span className={styles.sign}>
      <Icon name={snapshot.kind === 'channel' ? 'hash' : 'people'} />
    </span>
  );
}

function secondLine(snapshot: ConversationHeaderSnapshot, strings: ReturnType<typeof useStrings>): string {
  if (snapshot.peer) return strings.common.presence[snapshot.peer.presence];
  return [strings.common.members(snapshot.members), snapshot.topic].filter(Boolean).join(' · ');
}
