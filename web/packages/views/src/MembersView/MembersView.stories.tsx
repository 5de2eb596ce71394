import { aiko, jonas, mira, nothing } from '../testing/fixtures';
import { MembersView, type MembersSnapshot } from './MembersView';

const actions = {
  search: nothing,
  more: nothing,
  add: nothing,
  show: nothing,
  setRole: nothing,
  remove: nothing,
};

function show(change: Partial<MembersSnapshot>) {
  const snapshot: MembersSnapshot = {
    query: '',
    loading: false,
    more: true,
    canAdd: true,
    members: [
      { ...mira, role: 'owner', presence: 'online', me: true, can: { roles: [], remove: false } },
      {
        ...jonas,
        role: 'moderator',
        presence: 'away',
        me: false,
        can: { roles: ['owner', 'member'], remove: true },
      },
      {
        ...aiko,
        role: 'member',
        presence: 'offline',
        me: false,
        can: { roles: ['moderator'], remove: true },
      },
    ],
    ...change,
  };
  return <MembersView snapshot={snapshot} actions={actions} />;
}

export const Full = () => show({});
export const Loading = () => show({ members: [], loading: true, more: false });
export const NobodyFound = () => show({ members: [], query: 'zz', more: false });
