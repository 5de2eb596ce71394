import { message, noon, nothing } from '../testing/fixtures';
import { PinsView } from './PinsView';

const actions = { show: nothing, unpin: nothing };
const pin = message(
  { pinned: true, can: { write: true, edit: false, remove: false, pin: true } },
  'The **key** lies in the blue box',
);

export const Full = () => (
  <PinsView snapshot={{ pins: [pin], loading: false, now: noon }} actions={actions} />
);
export const Empty = () => <PinsView snapshot={{ pins: [], loading: false, now: noon }} actions={actions} />;
export const Loading = () => <PinsView snapshot={{ pins: [], loading: true, now: noon }} actions={actions} />;
