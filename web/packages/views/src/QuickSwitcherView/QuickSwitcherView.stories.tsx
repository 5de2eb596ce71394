import { nothing } from '../testing/fixtures';
import { QuickSwitcherView, type SwitcherEntry } from './QuickSwitcherView';

const entries: SwitcherEntry[] = [
  {
    id: 'general',
    kind: 'channel',
    name: 'general',
    detail: 'What everybody should know',
    person: null,
    unread: 3,
  },
  { id: 'a', kind: 'person', name: 'Aiko Tanaka', detail: '@aiko', person: 'a', unread: 0 },
];
const actions = { search: nothing, open: nothing, close: nothing };

export const Full = () => <QuickSwitcherView snapshot={{ query: '', entries }} actions={actions} />;
export const NothingFound = () => (
  <QuickSwitcherView snapshot={{ query: 'zz', entries: [] }} actions={actions} />
);
