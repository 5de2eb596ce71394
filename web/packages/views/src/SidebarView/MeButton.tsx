import { useState } from 'react';
import { Avatar } from '../Avatar/Avatar';
import { Menu, type MenuItem } from '../Menu/Menu';
import { useStrings } from '../strings/strings';
import type { SidebarActions, SidebarSnapshot } from './sidebar';
import styles from './SidebarView.module.css';

interface Props {
  snapshot: SidebarSnapshot;
  actions: SidebarActions;
}

/** Oneself at the foot of the sidebar, with one's own menu. */
export function MeButton({ snapshot, actions }: Props) {
  const strings = useStrings();
  const words = strings.sidebar;
  const [anchor, setAnchor] = useState<HTMLElement | null>(null);
  const { me } = snapshot;
  const away = me.presence === 'away';
  const items: MenuItem[] = [
    {
      id: 'presence',
      label: away ? words.setOnline : words.setAway,
      icon: 'clock',
      onSelect: () => actions.setPresence(away ? 'online' : 'away'),
    },
    { id: 'settings', label: words.settings, icon: 'settings', onSelect: actions.settings },
    ...(snapshot.owner
      ? ([
          { id: 'invite', label: words.invite, icon: 'userPlus', separated: true, onSelect: actions.invite },
          { id: 'site', label: words.siteSettings, icon: 'globe', onSelect: actions.siteSettings },
        ] satisfies MenuItem[])
      : []),
    { id: 'keys', label: words.keys, icon: 'keyboard', keys: '?', separated: true, onSelect: actions.keys },
    { id: 'out', label: words.signOut, icon: 'leave', onSelect: actions.signOut },
  ];
  return (
    <>
      <button
        type="button"
        className={styles.me}
        aria-label={[me.name, strings.common.presence[me.presence], words.menu].join(', ')}
        aria-haspopup="menu"
        aria-expanded={anchor !== null}
        onClick={(event) => setAnchor(anchor ? null : event.currentTarget)}
      >
        <Avatar id={me.id} name={me.name} size="s" presence={me.presence} />
        <span className={styles.meWords}>
          <bdi className={styles.meName}>{me.name}</bdi>{' '}
          <span className={styles.meState}>{strings.common.presence[me.presence]}</span>
        </span>
      </button>
      {anchor && <Menu label={words.menu} items={items} anchor={anchor} onClose={() => setAnchor(null)} />}
    </>
  );
}
