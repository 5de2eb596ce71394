import { useState, type SubmitEvent } from 'react';
import { Button } from '../Button/Button';
import { Dialog } from '../Dialog/Dialog';
import { TextField } from '../Field/Field';
import { PeoplePicker, type PeoplePickerProps } from '../PeoplePicker/PeoplePicker';
import { useStrings } from '../strings/strings';

export interface CreateConversationProps {
  kind: 'channel' | 'group';
  busy: boolean;
  people: Omit<PeoplePickerProps, 'label'>;
  onCreate: (made: { name: string; topic: string }) => void;
  onClose: () => void;
}

/** A new channel or group. */
export function CreateConversationView({ kind, busy, people, onCreate, onClose }: CreateConversationProps) {
  const strings = useStrings();
  const words = strings.dialogs;
  const [name, setName] = useState('');
  const [topic, setTopic] = useState('');
  const [tried, setTried] = useState(false);
  const channel = kind === 'channel';
  const onSubmit = (event: SubmitEvent) => {
    event.preventDefault();
    setTried(true);
    if (name.trim()) onCreate({ name: name.trim(), topic: topic.trim() });
  };
  return (
    <Dialog
      title={channel ? words.createChannel : words.createGroup}
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>{strings.common.cancel}</Button>
          <Button look="primary" type="submit" form="create" busy={busy}>
            {words.create}
          </Button>
        </>
      }
    >
      <form id="create" noValidate onSubmit={onSubmit}>
        <TextField
          label={channel ? words.channelName : words.groupName}
          hint={channel ? words.channelNameHint : words.groupHint}
          error={tried && !name.trim() ? words.missingName : undefined}
          maxLength={80}
          data-autofocus
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
      </form>
      {channel ? (
        <TextField
          label={words.topic}
          hint={words.topicHint}
          maxLength={500}
          value={topic}
          onChange={(event) => setTopic(event.currentTarget.value)}
        />
      ) : (
        <PeoplePicker label={words.people} {...people} />
      )}
    </Dialog>
  );
}
