import { nothing } from '../testing/fixtures';
import { BrowseChannelsView, type ChannelEntry } from './BrowseChannelsView';

const channels: ChannelEntry[] = [
  { id: 'a', name: 'general', topic: 'What everybody should know', members: 86, joined: true },
  { id: 'b', name: 'garden', topic: '', members: 1, joined: false },
];
const actions = {
  search: nothing,
  more: nothing,
  join: nothing,
  open: nothing,
  create: nothing,
  close: nothing,
};

export const Full = () => (
  <BrowseChannelsView snapshot={{ query: '', channels, loading: false, more: true }} actions={actions} />
);
export const Empty = () => (
  <BrowseChannelsView snapshot={{ query: '', channels: [], loading: false, more: false }} actions={actions} />
);
export const Loading = () => (
  <BrowseChannelsView snapshot={{ query: '', channels: [], loading: true, more: false }} actions={actions} />
);
