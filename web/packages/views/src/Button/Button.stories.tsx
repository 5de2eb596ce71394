import { Button } from './Button';
import { IconButton } from './IconButton';

export const Looks = () => (
  <p>
    <Button look="primary">Primary</Button> <Button icon="edit">Plain</Button>{' '}
    <Button look="quiet">Quiet</Button> <Button look="danger">Danger</Button>{' '}
    <Button disabled>Disabled</Button> <Button busy>Busy</Button>
  </p>
);

export const Icons = () => (
  <p>
    <IconButton icon="pin" label="Pin" keys="P" /> <IconButton icon="info" label="Details" aria-pressed />
  </p>
);
