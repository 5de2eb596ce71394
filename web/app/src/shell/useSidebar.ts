import type { ConversationItem, User } from '@klatch/client';
import {
  useStrings,
  type ConversationEntry,
  type SidebarSection,
  type SidebarSnapshot,
  type Strings,
} from '@klatch/views';
import { useCallback, useMemo } from 'react';
import { paths } from '../router/route';
import { useServices } from '../services/services';
import { useNow } from '../services/useNow';
import { usePresence } from '../services/usePresence';
import { excerptOf } from '../conversation/messages';
import { conversationName, personOf, type Known } from '../support/names';
import { useEach, useReadable } from '../support/useReadable';

export function useSidebar(site: string, me: User, selected: string | null): SidebarSnapshot {
  const { client, preferences } = useServices();
  const strings = useStrings();
  const list = useReadable(client.conversations.list);
  const known = useReadable(client.people.known);
  const drafts = useReadable(client.drafts.all);
  const connection = useReadable(client.connection);
  const { previews } = useReadable(preferences);
  const now = useNow();
  const peers = useMemo(() => list.flatMap((item) => (item.with ? [item.with] : [])).slice(0, 150), [list]);
  const watched = useMemo(() => [...peers, me.id], [peers, me.id]);
  const presence = usePresence('sidebar', watched);
  const shown = useMemo(() => list.slice(0, 150).map((item) => item.id), [list]);
  const typing = useEach(
    shown,
    useCallback((id: string) => client.conversations.typing(id), [client]),
  );
  useEach(
    peers,
    useCallback((id: string) => client.people.get(id), [client]),
  );
  const sections = useMemo(() => {
    const context: EntryContext = {
      known,
      strings,
      me: me.id,
      drafts,
      presence: (user) => presence.get(user) ?? 'offline',
      typing: (conversation) => (typing.get(conversation)?.length ?? 0) > 0,
    };
    return sectionsOf(list, (item) => entryOf(item, context));
  }, [list, known, strings, me.id, drafts, presence, typing]);
  return {
    site,
    me: {
      id: me.id,
      name: personOf(me.id, new Map([[me.id, me]]), strings).name,
      presence: presence.get(me.id) ?? 'online',
    },
    owner: me.role === 'owner',
    sections,
    selected,
    previews,
    loading: !(connection.state === 'online' && connection.synced),
    now,
  };
}

interface EntryContext {
  known: Known;
  strings: Strings;
  me: string;
  drafts: ReadonlySet<string>;
  presence: (user: string) => 'online' | 'away' | 'offline';
  typing: (conversation: string) => boolean;
}

export function entryOf(item: ConversationItem, context: EntryContext): ConversationEntry {
  const { known, strings } = context;
  return {
    id: item.id,
    href: paths.conversation(item.id),
    kind: item.kind,
    name: conversationName(item, known, strings),
    peer: item.with ? { id: item.with, presence: context.presence(item.with) } : null,
    unread: item.unread,
    mentions: item.kind === 'direct' ? item.unread : item.mentions,
    muted: item.settings.notify === 'none',
    draft: context.drafts.has(item.id),
    failed: item.failed > 0,
    typing: context.typing(item.id),
    preview: previewOf(item, context),
    at: item.last?.at ?? null,
  };
}

function previewOf(item: ConversationItem, { known, strings, me }: EntryContext): string | null {
  if (!item.last) return null;
  const text = excerptOf(item.last, strings);
  if (item.last.author === item.with) return text;
  const author =
    item.last.author === me ? strings.sidebar.you : personOf(item.last.author, known, strings).name;
  return strings.sidebar.preview(author, text);
}

/** Favourites first, then channels by name, then people and groups by activity. */
export function sectionsOf(
  list: readonly ConversationItem[],
  entry: (item: ConversationItem) => ConversationEntry,
): SidebarSection[] {
  const favourite = (item: ConversationItem) => item.settings.favourite;
  const channels = list.filter((item) => item.kind === 'channel' && !favourite(item));
  return [
    { id: 'favourites', entries: list.filter(favourite).map(entry) },
    { id: 'channels', entries: channels.map(entry).sort((one, other) => one.name.localeCompare(other.name)) },
    { id: 'direct', entries: list.filter((item) => item.kind !== 'channel' && !favourite(item)).map(entry) },
  ];
}
