import type { Presence } from '../Avatar/Avatar';

export interface ConversationEntry {
  id: string;
  href: string;
  kind: 'direct' | 'group' | 'channel';
  name: string;
  /** The other person of a direct conversation. */
  peer: { id: string; presence: Presence } | null;
  unread: number;
  mentions: number;
  muted: boolean;
  draft: boolean;
  failed: boolean;
  typing: boolean;
  preview: string | null;
  at: number | null;
}

export interface SidebarSection {
  id: 'favourites' | 'channels' | 'direct';
  entries: ConversationEntry[];
}

export interface SidebarSnapshot {
  site: string;
  me: { id: string; name: string; presence: Presence };
  /** Whether one owns the site. */
  owner: boolean;
  sections: SidebarSection[];
  selected: string | null;
  previews: boolean;
  loading: boolean;
  now: number;
}

export interface SidebarActions {
  find: () => void;
  newChannel: () => void;
  newGroup: () => void;
  newDirect: () => void;
  browse: () => void;
  invite: () => void;
  settings: () => void;
  siteSettings: () => void;
  keys: () => void;
  setPresence: (state: 'online' | 'away') => void;
  signOut: () => void;
}
