import { useState, type SubmitEvent } from 'react';
import { Button } from '../Button/Button';
import { SelectField, TextField } from '../Field/Field';
import { Icon } from '../Icon/Icon';
import { ListSkeleton } from '../MembersView/ListSkeleton';
import { useStrings } from '../strings/strings';
import { ago } from '../text/times';
import styles from './settings.module.css';

export interface InviteSnapshot {
  id: string;
  usesLeft: number | null;
  expiresAt: number | null;
}

interface Props {
  snapshot: { invites: InviteSnapshot[]; loading: boolean; busy: boolean; link: string | null; now: number };
  actions: {
    create: (invite: { uses: number | null; hours: number | null }) => void;
    copy: () => void;
    withdraw: (id: string) => void;
  };
}

export function InviteSettings({ snapshot, actions }: Props) {
  const strings = useStrings();
  const words = strings.settings;
  return (
    <div className={styles.form}>
      <NewInvite busy={snapshot.busy} onCreate={actions.create} />
      {snapshot.link && (
        <div className={styles.note}>
          <div className={styles.beside}>
            <TextField
              label={words.link}
              readOnly
              value={snapshot.link}
              onFocus={(event) => event.currentTarget.select()}
            />
            <Button look="primary" icon="copy" onClick={actions.copy}>
              {strings.common.copy}
            </Button>
          </div>
          <p className={styles.soft}>{words.inviteReady}</p>
        </div>
      )}
      {snapshot.loading && <ListSkeleton count={2} />}
      {!snapshot.loading && snapshot.invites.length === 0 && <p className={styles.soft}>{words.noInvites}</p>}
      <ul className={styles.list}>
        {snapshot.invites.map((invite) => (
          <li key={invite.id} className={styles.item}>
            <Icon name="link" />
            <div className={styles.grow}>
              <p className={styles.strong}>{words.usesLeft(invite.usesLeft)}</p>
              <p className={styles.soft}>
                {invite.expiresAt === null
                  ? words.endsNever
                  : words.endsAt(ago(invite.expiresAt, snapshot.now))}
              </p>
            </div>
            <Button small onClick={() => actions.withdraw(invite.id)}>
              {words.withdraw}
            </Button>
          </li>
        ))}
      </ul>
    </div>
  );
}

const numberOrNull = (value: string) => (value === '' ? null : Number(value));

function NewInvite({ busy, onCreate }: { busy: boolean; onCreate: Props['actions']['create'] }) {
  const words = useStrings().settings;
  const [uses, setUses] = useState('1');
  const [hours, setHours] = useState('168');
  const onSubmit = (event: SubmitEvent) => {
    event.preventDefault();
    onCreate({ uses: numberOrNull(uses), hours: numberOrNull(hours) });
  };
  return (
    <form className={styles.beside} onSubmit={onSubmit}>
      <SelectField
        label={words.inviteUses}
        value={uses}
        onChange={(event) => setUses(event.currentTarget.value)}
        options={[
          ...[1, 5, 25, 100].map((count) => ({ value: String(count), label: words.times(count) })),
          { value: '', label: words.unlimited },
        ]}
      />
      <SelectField
        label={words.inviteEnds}
        value={hours}
        onChange={(event) => setHours(event.currentTarget.value)}
        options={[
          { value: '1', label: words.hours(1) },
          { value: '24', label: words.days(1) },
          { value: '168', label: words.days(7) },
          { value: '720', label: words.days(30) },
          { value: '', label: words.never },
        ]}
      />
      <Button look="primary" type="submit" icon="plus" busy={busy}>
        {words.newInvite}
      </Button>
    </form>
  );
}
