import { aiko, jonas, mira } from '../testing/fixtures';
import { Avatar } from './Avatar';

export const Sizes = () => (
  <p>
    <Avatar {...mira} size="xs" /> <Avatar {...jonas} size="s" /> <Avatar {...aiko} />{' '}
    <Avatar {...mira} size="l" />
  </p>
);

export const Presence = () => (
  <p>
    <Avatar {...mira} presence="online" /> <Avatar {...jonas} presence="away" />{' '}
    <Avatar {...aiko} presence="offline" />
  </p>
);
