import type { User } from '@klatch/client';
import {
  AppearanceSettings,
  BlockedSettings,
  CloseAccountSettings,
  NotificationSettings,
  PasswordSettings,
  ProfileSettings,
  useStrings,
} from '@klatch/views';
import { useCallback, useMemo } from 'react';
import { useServices } from '../services/services';
import { useAttempt } from '../services/useAttempt';
import { useNotifications } from '../services/useNotifications';
import { leastPassword } from '../session/AuthPages';
import { personOf } from '../support/names';
import { useEach, useReadable } from '../support/useReadable';

export function Profile({ me }: { me: User }) {
  const { client, ui } = useServices();
  const strings = useStrings();
  const attempt = useAttempt();
  const save = async ({ displayName, about }: { displayName: string; about: string }) => {
    const worked = await attempt(() => client.account.changeProfile({ display_name: displayName, about }));
    if (worked) ui.say(strings.common.saved);
  };
  return (
    <ProfileSettings
      snapshot={{ id: me.id, handle: me.name, displayName: me.display_name, about: me.about }}
      actions={{ save }}
    />
  );
}

export function Appearance() {
  const { preferences } = useServices();
  return <AppearanceSettings snapshot={useReadable(preferences)} actions={{ change: preferences.change }} />;
}

export function Notifications() {
  const { preferences } = useServices();
  const { quiet, notifications } = useReadable(preferences);
  const { permission, ask } = useNotifications();
  return (
    <NotificationSettings
      snapshot={{ permission, on: notifications === 'on', quiet }}
      actions={{
        ask,
        setOn: (on) => preferences.change({ notifications: on ? 'on' : 'off' }),
        setQuiet: (next) => preferences.change({ quiet: next }),
      }}
    />
  );
}

export function Password() {
  const { client, ui } = useServices();
  const strings = useStrings();
  const attempt = useAttempt();
  const change = async (current: string, next: string) => {
    const worked = await attempt(() => client.account.changePassword(current, next));
    if (worked) ui.say(strings.settings.passwordChanged);
    return worked;
  };
  return <PasswordSettings snapshot={{ leastPassword }} actions={{ change }} />;
}

export function Blocked() {
  const { client } = useServices();
  const strings = useStrings();
  const attempt = useAttempt();
  const blocks = useReadable(client.account.blocks);
  const ids = useMemo(() => [...blocks], [blocks]);
  useEach(
    ids,
    useCallback((id: string) => client.people.get(id), [client]),
  );
  const known = useReadable(client.people.known);
  return (
    <BlockedSettings
      snapshot={{ people: ids.map((id) => personOf(id, known, strings)) }}
      actions={{ unblock: (id) => void attempt(() => client.account.unblock(id)) }}
    />
  );
}

export function CloseAccount() {
  const { client } = useServices();
  const attempt = useAttempt();
  return (
    <CloseAccountSettings
      actions={{ close: (password) => attempt(() => client.account.close(password)).then(() => undefined) }}
    />
  );
}
