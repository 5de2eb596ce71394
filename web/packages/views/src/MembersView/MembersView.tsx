import { Avatar, type Presence } from '../Avatar/Avatar';
import { Button } from '../Button/Button';
import { TextField } from '../Field/Field';
import type { MenuItem } from '../Menu/Menu';
import type { PersonSnapshot } from '../MessageView/message';
import { MenuButton } from '../SidebarView/MenuButton';
import { useStrings, type Strings } from '../strings/strings';
import { ListSkeleton } from './ListSkeleton';
import styles from './MembersView.module.css';

export interface MemberSnapshot extends PersonSnapshot {
  role: 'owner' | 'moderator' | 'member';
  presence: Presence;
  me: boolean;
  /** What one may do with this member. */
  can: { roles: ('owner' | 'moderator' | 'member')[]; remove: boolean };
}

export interface MembersSnapshot {
  query: string;
  members: MemberSnapshot[];
  loading: boolean;
  more: boolean;
  canAdd: boolean;
}

export interface MembersActions {
  search: (query: string) => void;
  more: () => void;
  add: () => void;
  show: (user: string) => void;
  setRole: (user: string, role: MemberSnapshot['role']) => void;
  remove: (user: string) => void;
}

interface Props {
  snapshot: MembersSnapshot;
  actions: MembersActions;
}

export function MembersView({ snapshot, actions }: Props) {
  const strings = useStrings();
  const words = strings.panel;
  return (
    <div className={styles.members}>
      {snapshot.canAdd && (
        <Button icon="userPlus" onClick={actions.add}>
          {words.addPeople}
        </Button>
      )}
      <TextField
        label={words.findMember}
        placeholder={words.findMember}
        quiet
        type="search"
        value={snapshot.query}
        onChange={(event) => actions.search(event.currentTarget.value)}
      />
      <ul className={styles.list}>
        {snapshot.members.map((member) => (
          <MemberRow key={member.id} member={member} actions={actions} />
        ))}
      </ul>
      {snapshot.loading && <ListSkeleton />}
      {!snapshot.loading && snapshot.members.length === 0 && <p className={styles.none}>{words.nobody}</p>}
      {snapshot.more && !snapshot.loading && (
        <Button look="quiet" onClick={actions.more}>
          {strings.common.more}
        </Button>
      )}
    </div>
  );
}

function MemberRow({ member, actions }: { member: MemberSnapshot; actions: MembersActions }) {
  const strings = useStrings();
  const items = memberItems(member, actions, strings.panel);
  return (
    <li className={styles.member}>
      <button
        type="button"
        className={styles.person}
        aria-label={spoken(member, strings)}
        onClick={() => actions.show(member.id)}
      >
        <Avatar id={member.id} name={member.name} size="s" presence={member.presence} />
        <span className={styles.words}>
          <span className={styles.name}>
            <bdi>{member.name}</bdi>
            {member.me && <span className={styles.quiet}> ({strings.common.you})</span>}
          </span>{' '}
          <bdi className={styles.quiet}>@{member.handle}</bdi>
        </span>{' '}
        {member.role !== 'member' && <span className={styles.role}>{strings.common.roles[member.role]}</span>}
      </button>
      {items.length > 0 && (
        <MenuButton icon="more" size="s" label={strings.panel.memberMenu(member.name)} items={items} />
      )}
    </li>
  );
}

/** All that the row shows, in words. */
function spoken(member: MemberSnapshot, { common }: Strings): string {
  const name = member.me ? `${member.name} (${common.you})` : member.name;
  const role = member.role !== 'member' && common.roles[member.role];
  return [name, `@${member.handle}`, role, common.presence[member.presence]].filter(Boolean).join(', ');
}

function memberItems(
  member: MemberSnapshot,
  actions: MembersActions,
  words: ReturnType<typeof useStrings>['panel'],
): MenuItem[] {
  const labels = { owner: words.makeOwner, moderator: words.makeModerator, member: words.makeMember };
  const items: MenuItem[] = member.can.roles.map((role) => ({
    id: role,
    label: labels[role],
    icon: role === 'owner' ? 'key' : role === 'moderator' ? 'star' : 'person',
    onSelect: () => actions.setRole(member.id, role),
  }));
  if (member.can.remove) {
    items.push({
      id: 'remove',
      label: words.remove,
      icon: 'leave',
      danger: true,
      separated: items.length > 0,
      onSelect: () => actions.remove(member.id),
    });
  }
  return items;
}
