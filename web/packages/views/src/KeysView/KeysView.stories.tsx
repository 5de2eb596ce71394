import { nothing } from '../testing/fixtures';
import { KeysView } from './KeysView';

export const Sheet = () => <KeysView onClose={nothing} />;
