import { noon, nothing } from '../testing/fixtures';
import type { ConversationEntry, SidebarSnapshot } from './sidebar';
import { SidebarView } from './SidebarView';

const actions = {
  find: nothing,
  newChannel: nothing,
  newGroup: nothing,
  newDirect: nothing,
  browse: nothing,
  invite: nothing,
  settings: nothing,
  siteSettings: nothing,
  keys: nothing,
  setPresence: nothing,
  signOut: nothing,
};

function entry(id: string, change: Partial<ConversationEntry> = {}): ConversationEntry {
  return {
    id,
    href: `/c/${id}`,
    kind: 'channel',
    name: id,
    peer: null,
    unread: 0,
    mentions: 0,
    muted: false,
    draft: false,
    failed: false,
    typing: false,
    preview: 'Aiko: see you there',
    at: noon,
    ...change,
  };
}

export const sidebar: SidebarSnapshot = {
  site: 'Kitchen Table',
  me: { id: 'me', name: 'Mira Okafor', presence: 'online' },
  owner: true,
  sections: [
    { id: 'favourites', entries: [entry('general')] },
    {
      id: 'channels',
      entries: [
        entry('ubuntu', { unread: 120, mentions: 2 }),
        entry('random', { unread: 4, muted: true }),
        entry('design', { draft: true }),
      ],
    },
    {
      id: 'direct',
      entries: [
        entry('jonas', {
          kind: 'direct',
          name: 'Jonas Lindqvist',
          peer: { id: 'j', presence: 'away' },
          unread: 3,
        }),
        entry('offsite', { kind: 'group', name: 'Offsite in May', failed: true, typing: true }),
      ],
    },
  ],
  selected: 'general',
  previews: true,
  loading: false,
  now: noon,
};

function show(change: Partial<SidebarSnapshot>) {
  return (
    <div
      style={{
        display: 'flex',
        flexDirection: 'column',
        inlineSize: 300,
        blockSize: 560,
        background: 'var(--panel)',
      }}
    >
      <SidebarView snapshot={{ ...sidebar, ...change }} actions={actions} />
    </div>
  );
}

export const Full = () => show({});
export const WithoutPreviews = () => show({ previews: false });
export const Empty = () => show({ sections: [] });
