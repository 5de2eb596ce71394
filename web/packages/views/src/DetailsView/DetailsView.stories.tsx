import { nothing, worked } from '../testing/fixtures';
import { DetailsView, type DetailsSnapshot } from './DetailsView';

const actions = {
  change: worked,
  setNotify: nothing,
  setFavourite: nothing,
  setHistory: nothing,
  copyLink: nothing,
  members: nothing,
  leave: nothing,
};

function show(change: Partial<DetailsSnapshot>) {
  const snapshot: DetailsSnapshot = {
    kind: 'channel',
    name: 'general',
    topic: 'What everybody should know',
    members: 86,
    notify: 'all',
    favourite: true,
    history: 'all',
    can: { change: true, changeHistory: true, leave: true },
    ...change,
  };
  return <DetailsView snapshot={snapshot} actions={actions} />;
}

export const Owner = () => show({});
export const Direct = () =>
  show({ kind: 'direct', can: { change: false, changeHistory: false, leave: false } });
