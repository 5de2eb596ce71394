import type { User } from '@klatch/client';
import { SettingsFrame, useStrings, type IconName, type SettingsLink, type Strings } from '@klatch/views';
import { useEffect, useState, type ReactNode } from 'react';
import { paths, type SettingsPage as Page } from '../router/route';
import { useServices } from '../services/services';
import { Appearance, Blocked, CloseAccount, Notifications, Password, Profile } from './own';
import { People } from './People';
import { Sessions } from './Sessions';
import { Invites, Site } from './site';

const icons: Record<Page, IconName> = {
  profile: 'person',
  appearance: 'sun',
  notifications: 'bell',
  sessions: 'devices',
  password: 'key',
  blocked: 'block',
  account: 'trash',
  site: 'globe',
  people: 'people',
  invites: 'userPlus',
};

const own: Page[] = ['profile', 'appearance', 'notifications', 'sessions', 'password', 'blocked', 'account'];
const ofSite: Page[] = ['site', 'people', 'invites'];

/** The settings. On a wide screen the first page is open from the start. */
export default function SettingsPage({ page, me }: { page: Page | null; me: User }) {
  const { router, ui } = useServices();
  const strings = useStrings();
  const wide = useWide();
  const open = page ?? (wide ? 'profile' : null);
  const [from] = useState(() => paths.home());
  const close = () => router.go(from);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key === 'Escape' && !event.defaultPrevented && ui.dialog.get() === null) router.go(from);
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [router, ui, from]);
  const groups = [{ label: strings.settings.yours, links: own.map((id) => linkTo(id, strings)) }];
  if (me.role === 'owner')
    groups.push({ label: strings.settings.ofSite, links: ofSite.map((id) => linkTo(id, strings)) });
  return (
    <SettingsFrame
      groups={groups}
      current={open}
      title={open ? strings.settings[open] : strings.settings.title}
      onClose={close}
      onBack={() => router.go(paths.settings())}
    >
      {open && pageOf(open, me)}
    </SettingsFrame>
  );
}

function linkTo(id: Page, strings: Strings): SettingsLink {
  return { id, href: paths.settings(id), label: strings.settings[id], icon: icons[id] };
}

function pageOf(page: Page, me: User): ReactNode {
  switch (page) {
    case 'profile':
      return <Profile key={me.id} me={me} />;
    case 'appearance':
      return <Appearance />;
    case 'notifications':
      return <Notifications />;
    case 'sessions':
      return <Sessions />;
    case 'password':
      return <Password />;
    case 'blocked':
      return <Blocked />;
    case 'account':
      return <CloseAccount />;
    case 'site':
      return me.role === 'owner' && <Site />;
    case 'people':
      return me.role === 'owner' && <People me={me} />;
    case 'invites':
      return me.role === 'owner' && <Invites />;
  }
}

function useWide(): boolean {
  const [query] = useState(() => window.matchMedia('(min-width: 761px)'));
  const [wide, setWide] = useState(query.matches);
  useEffect(() => {
    const look = () => setWide(query.matches);
    query.addEventListener('change', look);
    return () => query.removeEventListener('change', look);
  }, [query]);
  return wide;
}
