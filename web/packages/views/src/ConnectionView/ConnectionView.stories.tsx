import { noon, nothing } from '../testing/fixtures';
import { ConnectionView, type ConnectionSnapshot } from './ConnectionView';

const show = (snapshot: ConnectionSnapshot) => (
  <ConnectionView snapshot={snapshot} actions={{ tryNow: nothing, reload: nothing }} />
);

export const Fine = () => show({ state: 'fine' });
export const Connecting = () => show({ state: 'connecting' });
export const Offline = () => show({ state: 'offline', since: noon, nextTryIn: 12 });
export const NoNetwork = () => show({ state: 'offline', since: noon, nextTryIn: null });
export const Outdated = () => show({ state: 'refused', outdated: true });
