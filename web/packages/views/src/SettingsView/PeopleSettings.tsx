import { Avatar } from '../Avatar/Avatar';
import { Button } from '../Button/Button';
import { TextField } from '../Field/Field';
import type { MenuItem } from '../Menu/Menu';
import { ListSkeleton } from '../MembersView/ListSkeleton';
import type { PersonSnapshot } from '../MessageView/message';
import { MenuButton } from '../SidebarView/MenuButton';
import { useStrings, type Strings } from '../strings/strings';
import styles from './settings.module.css';

export interface SitePersonSnapshot extends PersonSnapshot {
  role: 'owner' | 'member';
  state: 'active' | 'closed' | 'imported';
  me: boolean;
}

interface Props {
  snapshot: {
    query: string;
    people: SitePersonSnapshot[];
    loading: boolean;
    more: boolean;
    /** A link to set a password, made just now. */
    reset: { name: string; link: string } | null;
  };
  actions: {
    search: (query: string) => void;
    more: () => void;
    setRole: (id: string, role: SitePersonSnapshot['role']) => void;
    reset: (id: string) => void;
    copyReset: () => void;
  };
}

/** Everybody with an account, for the owners of the site. */
export function PeopleSettings({ snapshot, actions }: Props) {
  const strings = useStrings();
  const words = strings.settings;
  const none = !snapshot.loading && snapshot.people.length === 0;
  return (
    <div className={styles.form}>
      <TextField
        label={words.findPerson}
        placeholder={words.findPerson}
        quiet
        type="search"
        value={snapshot.query}
        onChange={(event) => actions.search(event.currentTarget.value)}
      />
      {snapshot.reset && (
        <div className={styles.note}>
          <div className={styles.beside}>
            <TextField
              label={words.resetFor(snapshot.reset.name)}
              readOnly
              value={snapshot.reset.link}
              onFocus={(event) => event.currentTarget.select()}
            />
            <Button look="primary" icon="copy" onClick={actions.copyReset}>
              {strings.common.copy}
            </Button>
          </div>
          <p className={styles.soft}>{words.resetReady}</p>
        </div>
      )}
      <ul className={styles.list}>
        {snapshot.people.map((person) => (
          <PersonRow key={person.id} person={person} actions={actions} />
        ))}
      </ul>
      {snapshot.loading && <ListSkeleton />}
      {none && <p className={styles.soft}>{words.nobodyFound}</p>}
      {snapshot.more && !snapshot.loading && <Button onClick={actions.more}>{strings.common.more}</Button>}
    </div>
  );
}

function PersonRow({ person, actions }: { person: SitePersonSnapshot; actions: Props['actions'] }) {
  const strings = useStrings();
  const items = menuItems(person, actions, strings);
  return (
    <li className={styles.item}>
      <Avatar id={person.id} name={person.name} size="s" />
      <div className={styles.grow}>
        <p className={styles.strong}>
          <bdi>{person.name}</bdi>
          {person.me && <span className={styles.soft}> ({strings.common.you})</span>}
        </p>
        <p className={styles.soft}>
          <bdi>@{person.handle}</bdi>
        </p>
      </div>
      {person.role === 'owner' && <span className={styles.tag}>{strings.common.roles.owner}</span>}
      {person.state === 'imported' && <span className={styles.tag}>{strings.settings.imported}</span>}
      {items.length > 0 && (
        <MenuButton icon="more" size="s" label={strings.panel.memberMenu(person.name)} items={items} />
      )}
    </li>
  );
}

function menuItems(person: SitePersonSnapshot, actions: Props['actions'], strings: Strings): MenuItem[] {
  if (person.state !== 'active') return [];
  const words = strings.settings;
  const owner = person.role === 'owner';
  const items: MenuItem[] = [
    {
      id: 'role',
      label: owner ? words.makeSiteMember : words.makeSiteOwner,
      icon: owner ? 'person' : 'star',
      onSelect: () => actions.setRole(person.id, owner ? 'member' : 'owner'),
    },
  ];
  if (!person.me) {
    const onSelect = () => actions.reset(person.id);
    items.push({ id: 'reset', label: strings.panel.resetPassword, icon: 'key', onSelect });
  }
  return items;
}
