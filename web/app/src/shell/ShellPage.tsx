import type { User } from '@klatch/client';
import {
  ConnectionView,
  EmptyView,
  ShellView,
  SidebarView,
  useStrings,
  type SidebarActions,
} from '@klatch/views';
import { lazy, Suspense, useMemo, type ReactNode } from 'react';
import { ConversationPage } from '../conversation/ConversationPage';
import { DialogsHost } from '../dialogs/DialogsHost';
import { NotifyAsk } from '../dialogs/NotifyAsk';
import { Toasts } from '../dialogs/Toasts';
import { paths, type Route } from '../router/route';
import { useServices } from '../services/services';
import { useReadable } from '../support/useReadable';
import { useSite } from '../session/useSite';
import { ChannelDoor } from './ChannelDoor';
import { useConnection } from './useConnection';
import { useShortcuts } from './useShortcuts';
import { useSidebar } from './useSidebar';

const SidePanel = lazy(() => import('../panel/SidePanel'));
const SettingsPage = lazy(() => import('../settings/SettingsPage'));

type Inside = Extract<Route, { page: 'home' | 'conversation' | 'settings' | 'unknown' }>;

/** The page of somebody who is signed in. */
export function ShellPage({ route, me }: { route: Inside; me: User }) {
  const { preferences } = useServices();
  const { widths } = useReadable(preferences);
  useShortcuts();
  const side = 'side' in route ? route.side : null;
  const panel = side && (
    <Suspense fallback={null}>
      <SidePanel side={side} conversation={route.page === 'conversation' ? route.conversation : null} />
    </Suspense>
  );
  if (route.page === 'settings') {
    return (
      <Suspense fallback={null}>
        <SettingsPage page={route.settings} me={me} />
        <DialogsHost />
        <Toasts />
      </Suspense>
    );
  }
  return (
    <>
      <ShellView
        banner={<Banner />}
        sidebar={<Sidebar me={me} selected={route.page === 'conversation' ? route.conversation : null} />}
        main={<Main route={route} me={me} />}
        panel={panel}
        pane={panel ? 'panel' : route.page === 'home' ? 'sidebar' : 'main'}
        widths={widths}
        onWidths={(next) => preferences.change({ widths: next })}
      />
      <DialogsHost />
      <NotifyAsk />
      <Toasts />
    </>
  );
}

function Banner() {
  const { client } = useServices();
  const snapshot = useConnection();
  const reload = () => location.reload();
  return <ConnectionView snapshot={snapshot} actions={{ tryNow: () => client.tryNow(), reload }} />;
}

function Sidebar({ me, selected }: { me: User; selected: string | null }) {
  const { client, router, ui } = useServices();
  const { site } = useSite();
  const snapshot = useSidebar(site?.name ?? '', me, selected);
  const actions = useMemo<SidebarActions>(
    () => ({
      find: () => ui.dialog.set({ type: 'switcher' }),
      newChannel: () => ui.dialog.set({ type: 'create', kind: 'channel' }),
      newGroup: () => ui.dialog.set({ type: 'create', kind: 'group' }),
      newDirect: () => ui.dialog.set({ type: 'direct' }),
      browse: () => ui.dialog.set({ type: 'browse' }),
      keys: () => ui.dialog.set({ type: 'keys' }),
      invite: () => router.go(paths.settings('invites')),
      settings: () => router.go(paths.settings()),
      siteSettings: () => router.go(paths.settings('site')),
      setPresence: (state) => client.people.setPresence(state),
      signOut: () => void client.session.signOut(),
    }),
    [client, router, ui],
  );
  return <SidebarView snapshot={snapshot} actions={actions} />;
}

function Main({ route, me }: { route: Inside; me: User }): ReactNode {
  const { router, ui } = useServices();
  const strings = useStrings();
  if (route.page === 'conversation') return <Conversation key={route.conversation} route={route} />;
  if (route.page === 'unknown') return <Nowhere />;
  const browse = { label: strings.sidebar.browse, onPress: () => ui.dialog.set({ type: 'browse' }) };
  const invite = {
    label: strings.sidebar.invite,
    primary: true,
    onPress: () => router.go(paths.settings('invites')),
  };
  return (
    <EmptyView
      logo
      title={strings.timeline.welcomeTitle(me.display_name || me.name)}
      text={strings.timeline.welcomeText}
      actions={me.role === 'owner' ? [invite, browse] : [browse]}
    />
  );
}

function Conversation({ route }: { route: Extract<Inside, { page: 'conversation' }> }) {
  const { client } = useServices();
  const item = useReadable(
    useMemo(() => client.conversations.get(route.conversation), [client, route.conversation]),
  );
  const connection = useReadable(client.connection);
  const me = useReadable(client.account.me);
  if (!item) {
    // Whoever signs out has no conversations either, a moment before the page is gone.
    const known = me && connection.state === 'online' && connection.synced;
    return known ? <ChannelDoor conversation={route.conversation} otherwise={<Nowhere />} /> : null;
  }
  return <ConversationPage conversation={item.id} message={route.message} side={route.side} />;
}

function Nowhere() {
  const { common } = useStrings();
  const { router } = useServices();
  return (
    <EmptyView
      icon="compass"
      title={common.notFoundTitle}
      text={common.notFoundText}
      actions={[{ label: common.toStart, onPress: () => router.go(paths.home()) }]}
    />
  );
}
