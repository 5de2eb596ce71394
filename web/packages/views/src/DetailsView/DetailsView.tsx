import { useState, type SubmitEvent } from 'react';
import { Button } from '../Button/Button';
import { Choice, Switch } from '../Field/Choice';
import { TextArea, TextField } from '../Field/Field';
import { Icon } from '../Icon/Icon';
import { useStrings } from '../strings/strings';
import styles from './DetailsView.module.css';

export interface DetailsSnapshot {
  kind: 'direct' | 'group' | 'channel';
  name: string;
  topic: string;
  members: number;
  notify: 'all' | 'mentions' | 'none';
  favourite: boolean;
  history: 'all' | 'since_joined';
  can: { change: boolean; changeHistory: boolean; leave: boolean };
}

export interface DetailsActions {
  change: (change: { name: string; topic: string }) => Promise<boolean>;
  setNotify: (notify: DetailsSnapshot['notify']) => void;
  setFavourite: (on: boolean) => void;
  setHistory: (history: DetailsSnapshot['history']) => void;
  copyLink: () => void;
  members: () => void;
  leave: () => void;
}

interface Props {
  snapshot: DetailsSnapshot;
  actions: DetailsActions;
}

export function DetailsView({ snapshot, actions }: Props) {
  const strings = useStrings();
  const words = strings.panel;
  return (
    <div className={styles.details}>
      {snapshot.kind !== 'direct' && <About snapshot={snapshot} actions={actions} />}
      <Switch
        label={words.favourite}
        hint={words.favouriteHint}
        checked={snapshot.favourite}
        onChange={actions.setFavourite}
      />
      <Choice
        label={words.notify}
        value={snapshot.notify}
        onChange={actions.setNotify}
        options={[
          { value: 'all', label: words.notifyAll },
          { value: 'mentions', label: words.notifyMentions },
          { value: 'none', label: words.notifyNone },
        ]}
      />
      {snapshot.can.changeHistory && (
        <Choice
          label={words.history}
          value={snapshot.history}
          onChange={actions.setHistory}
          options={[
            { value: 'all', label: words.historyAll },
            { value: 'since_joined', label: words.historySince },
          ]}
        />
      )}
      <div className={styles.ways}>
        {snapshot.kind !== 'direct' && (
          <Button look="quiet" icon="people" onClick={actions.members}>
            {strings.common.members(snapshot.members)}
          </Button>
        )}
        <Button look="quiet" icon="link" onClick={actions.copyLink}>
          {words.copyLink}
        </Button>
        {snapshot.can.leave && (
          <Button look="quiet" icon="leave" className={styles.leave} onClick={actions.leave}>
            {words.leave}
          </Button>
        )}
      </div>
    </div>
  );
}

function About({ snapshot, actions }: Props) {
  const strings = useStrings();
  const words = strings.panel;
  const [editing, setEditing] = useState(false);
  if (editing) return <Edit snapshot={snapshot} actions={actions} onDone={() => setEditing(false)} />;
  return (
    <section className={styles.about}>
      <h3 className={styles.name}>
        <Icon name={snapshot.kind === 'channel' ? 'hash' : 'people'} />
        <bdi>{snapshot.name}</bdi>
      </h3>
      <p className={styles.topic} dir="auto">
        {snapshot.topic || words.noTopic}
      </p>
      {snapshot.can.change && (
        <Button small icon="edit" onClick={() => setEditing(true)}>
          {words.edit}
        </Button>
      )}
    </section>
  );
}

function Edit({ snapshot, actions, onDone }: Props & { onDone: () => void }) {
  const strings = useStrings();
  const words = strings.panel;
  const [name, setName] = useState(snapshot.name);
  const [topic, setTopic] = useState(snapshot.topic);
  const [busy, setBusy] = useState(false);
  const onSubmit = async (event: SubmitEvent) => {
    event.preventDefault();
    if (!name.trim()) return;
    setBusy(true);
    const worked = await actions.change({ name: name.trim(), topic: topic.trim() });
    setBusy(false);
    if (worked) onDone();
  };
  return (
    <form className={styles.about} onSubmit={(event) => void onSubmit(event)}>
      <TextField
        label={words.name}
        value={name}
        autoFocus
        required
        maxLength={80}
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <TextArea
        label={words.topic}
        value={topic}
        maxLength={500}
        onChange={(event) => setTopic(event.currentTarget.value)}
      />
      <div className={styles.row}>
        <Button look="primary" type="submit" busy={busy}>
          {strings.common.save}
        </Button>
        <Button onClick={onDone}>{strings.common.cancel}</Button>
      </div>
    </form>
  );
}
