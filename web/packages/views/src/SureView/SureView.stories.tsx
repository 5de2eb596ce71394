import { nothing } from '../testing/fixtures';
import { SureView } from './SureView';

export const Danger = () => (
  <SureView
    title="Delete this message?"
    text="Nobody can read it any more."
    action="Delete"
    danger
    onYes={nothing}
    onClose={nothing}
  />
);
