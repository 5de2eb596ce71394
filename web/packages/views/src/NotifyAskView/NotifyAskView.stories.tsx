import { nothing } from '../testing/fixtures';
import { NotifyAskView } from './NotifyAskView';

export const Asked = () => <NotifyAskView onYes={nothing} onNo={nothing} />;
