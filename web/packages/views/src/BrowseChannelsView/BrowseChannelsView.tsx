import { Button } from '../Button/Button';
import { Dialog } from '../Dialog/Dialog';
import { EmptyView } from '../EmptyView/EmptyView';
import { TextField } from '../Field/Field';
import { Icon } from '../Icon/Icon';
import { ListSkeleton } from '../MembersView/ListSkeleton';
import { useStrings } from '../strings/strings';
import styles from './BrowseChannelsView.module.css';

export interface ChannelEntry {
  id: string;
  name: string;
  topic: string;
  members: number;
  joined: boolean;
}

interface Props {
  snapshot: { query: string; channels: ChannelEntry[]; loading: boolean; more: boolean };
  actions: {
    search: (query: string) => void;
    more: () => void;
    join: (id: string) => void;
    open: (id: string) => void;
    create: () => void;
    close: () => void;
  };
}

export function BrowseChannelsView({ snapshot, actions }: Props) {
  const strings = useStrings();
  const words = strings.dialogs;
  const none = !snapshot.loading && snapshot.channels.length === 0;
  return (
    <Dialog
      title={words.browse}
      size="l"
      onClose={actions.close}
      footer={
        <Button icon="plus" onClick={actions.create}>
          {words.createChannel}
        </Button>
      }
    >
      <TextField
        label={words.findChannels}
        placeholder={words.findChannels}
        quiet
        type="search"
        data-autofocus
        value={snapshot.query}
        onChange={(event) => actions.search(event.currentTarget.value)}
      />
      <ul>
        {snapshot.channels.map((channel) => (
          <li key={channel.id} className={styles.channel}>
            <Icon name="hash" />
            <span className={styles.words}>
              <bdi className={styles.name}>{channel.name}</bdi>
              <span className={styles.about} dir="auto">
                {[strings.common.members(channel.members), channel.topic].filter(Boolean).join(' · ')}
              </span>
            </span>
            <Button
              small
              look={channel.joined ? 'plain' : 'primary'}
              aria-label={`${channel.joined ? words.open : words.join} ${channel.name}`}
              onClick={() => (channel.joined ? actions.open : actions.join)(channel.id)}
            >
              {channel.joined ? words.open : words.join}
            </Button>
          </li>
        ))}
      </ul>
      {snapshot.loading && <ListSkeleton />}
      {none && (
        <EmptyView
          icon="hash"
          title={snapshot.query ? words.noChannels : words.noChannelsYet}
          text={words.noChannelsText}
        />
      )}
      {snapshot.more && (
        <Button look="quiet" onClick={actions.more}>
          {strings.common.more}
        </Button>
      )}
    </Dialog>
  );
}
