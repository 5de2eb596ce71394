import { aiko, nothing } from '../testing/fixtures';
import { PersonView, type PersonViewSnapshot } from './PersonView';

const actions = {
  write: nothing,
  edit: nothing,
  block: nothing,
  unblock: nothing,
  reset: nothing,
  copyReset: nothing,
};

function show(change: Partial<PersonViewSnapshot>) {
  const snapshot: PersonViewSnapshot = {
    person: aiko,
    about: 'Design and research',
    presence: 'online',
    me: false,
    state: 'active',
    network: null,
    blocked: false,
    canReset: false,
    resetLink: null,
    ...change,
  };
  return <PersonView snapshot={snapshot} actions={actions} />;
}

export const Somebody = () => show({});
export const Oneself = () => show({ me: true });
export const Blocked = () => show({ blocked: true });
export const Closed = () => show({ state: 'closed' });
export const Imported = () => show({ state: 'imported', network: 'irc' });
export const Reset = () => show({ canReset: true, resetLink: 'https://chat.example/reset#token=abc' });
