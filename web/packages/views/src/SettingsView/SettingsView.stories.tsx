import { aiko, jonas, mira, noon, nothing, worked } from '../testing/fixtures';
import { AppearanceSettings } from './AppearanceSettings';
import { BlockedSettings } from './BlockedSettings';
import { CloseAccountSettings } from './CloseAccountSettings';
import { InviteSettings } from './InviteSettings';
import { NotificationSettings, type NotificationSnapshot } from './NotificationSettings';
import { PasswordSettings } from './PasswordSettings';
import { PeopleSettings } from './PeopleSettings';
import { ProfileSettings } from './ProfileSettings';
import { SessionSettings } from './SessionSettings';
import { SettingsFrame } from './SettingsFrame';
import { SiteSettings } from './SiteSettings';

const done = () => Promise.resolve();

export const Frame = () => (
  <SettingsFrame
    title="Profile"
    current="profile"
    groups={[
      {
        label: 'You',
        links: [{ id: 'profile', href: '/settings/profile', label: 'Profile', icon: 'person' }],
      },
    ]}
    onClose={nothing}
    onBack={nothing}
  >
    <p>The page</p>
  </SettingsFrame>
);

export const Profile = () => (
  <ProfileSettings
    snapshot={{ id: 'u', handle: 'mira', displayName: 'Mira Okafor', about: 'Bread' }}
    actions={{ save: done }}
  />
);
export const Appearance = () => (
  <AppearanceSettings
    snapshot={{ theme: 'dark', density: 'compact', previews: true, enterSends: false }}
    actions={{ change: nothing }}
  />
);

const notifications = (permission: NotificationSnapshot['permission']) => (
  <NotificationSettings
    snapshot={{ permission, on: true, quiet: { on: true, from: 1320, until: 420 } }}
    actions={{ ask: nothing, setOn: nothing, setQuiet: nothing }}
  />
);
export const NotificationsNotAsked = () => notifications('default');
export const NotificationsOn = () => notifications('granted');
export const NotificationsRefused = () => notifications('denied');

export const Sessions = () => (
  <SessionSettings
    snapshot={{
      loading: false,
      now: noon,
      devices: [
        { id: 'a', name: 'Firefox · Linux', createdAt: noon - 1e8, lastUsedAt: noon, current: true },
        { id: 'b', name: 'Safari · iPhone', createdAt: noon - 1e9, lastUsedAt: noon - 1e7, current: false },
      ],
    }}
    actions={{ revoke: nothing, signOut: nothing }}
  />
);
export const Password = () => (
  <PasswordSettings snapshot={{ leastPassword: 8 }} actions={{ change: worked }} />
);
export const Blocked = () => <BlockedSettings snapshot={{ people: [aiko] }} actions={{ unblock: nothing }} />;
export const NobodyBlocked = () => (
  <BlockedSettings snapshot={{ people: [] }} actions={{ unblock: nothing }} />
);
export const CloseAccount = () => <CloseAccountSettings actions={{ close: done }} />;
export const Site = () => (
  <SiteSettings
    snapshot={{ name: 'Kitchen Table', registration: 'invite' }}
    actions={{ rename: done, setRegistration: nothing }}
  />
);
export const Invites = () => (
  <InviteSettings
    snapshot={{
      loading: false,
      busy: false,
      link: 'https://chat.example/signup#invite=abc',
      now: noon,
      invites: [
        { id: 'a', usesLeft: 1, expiresAt: noon + 1e8 },
        { id: 'b', usesLeft: null, expiresAt: null },
      ],
    }}
    actions={{ create: nothing, copy: nothing, withdraw: nothing }}
  />
);

const somePeople = (reset: { name: string; link: string } | null) => (
  <PeopleSettings
    snapshot={{
      query: '',
      loading: false,
      more: true,
      reset,
      people: [
        { ...aiko, role: 'owner', state: 'active', me: true },
        { ...mira, role: 'member', state: 'active', me: false },
        { ...jonas, role: 'member', state: 'imported', me: false },
      ],
    }}
    actions={{ search: nothing, more: nothing, setRole: nothing, reset: nothing, copyReset: nothing }}
  />
);
export const People = () => somePeople(null);
export const PeopleWithLink = () =>
  somePeople({ name: 'Mira Okafor', link: 'https://chat.example/reset#token=kp_abc' });
