import { initials, personColour } from '../text/names';
import { classes } from '../text/classes';
import styles from './Avatar.module.css';

export type Presence = 'online' | 'away' | 'offline';

export interface AvatarProps {
  id: string;
  name: string;
  size?: 'xs' | 's' | 'm' | 'l' | 'xl';
  /** A dot in the corner; words for it stand beside the name, not here. */
  presence?: Presence | undefined;
}

/** A person's initials on their colour. Decorative: the name always stands beside it. */
export function Avatar({ id, name, size = 'm', presence }: AvatarProps) {
  return (
    <span className={classes(styles.avatar, styles[size])} aria-hidden="true">
      <span
        className={classes(styles.face, styles[`person${personColour(id)}`])}
        data-initials={initials(name)}
      />
      {presence && presence !== 'offline' && <span className={classes(styles.dot, styles[presence])} />}
    </span>
  );
}
