import { classes } from '../text/classes';
import styles from './Icon.module.css';
import { paths, type IconName } from './paths';

export type { IconName };

/** Those that point where the text goes, or where it comes from. */
const pointing: ReadonlySet<IconName> = new Set([
  'back',
  'forward',
  'reply',
  'send',
  'leave',
  'list',
  'quote',
  'panel',
]);

/** A drawing that says nothing by itself: the control around it carries the name. */
export function Icon({ name, size = 20 }: { name: IconName; size?: number }) {
  return (
    <svg
      className={classes(styles.icon, pointing.has(name) && styles.pointing)}
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.8"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      <path d={paths[name]} />
    </svg>
  );
}
