import { Button } from '../Button/Button';
import { nothing } from '../testing/fixtures';
import { Dialog } from './Dialog';

export const Open = () => (
  <Dialog title="A title" onClose={nothing} footer={<Button look="primary">Do it</Button>}>
    <p>What there is to say.</p>
  </Dialog>
);
