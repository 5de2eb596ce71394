import type { ButtonHTMLAttributes, Ref } from 'react';
import { Icon, type IconName } from '../Icon/Icon';
import { classes } from '../text/classes';
import { keysHere, spokenKeys } from '../text/keys';
import styles from './IconButton.module.css';

export interface IconButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  icon: IconName;
  /** The accessible name, and the tip on hover and focus. */
  label: string;
  /** The key that does the same, shown in the tip. */
  keys?: string | undefined;
  size?: 's' | 'm';
  tip?: 'below' | 'above' | 'none';
  ref?: Ref<HTMLButtonElement>;
}

export function IconButton({
  icon,
  label,
  keys,
  size = 'm',
  tip = 'below',
  className,
  ...rest
}: IconButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      aria-label={label}
      aria-keyshortcuts={keys && spokenKeys(keys)}
      data-tip={keys ? `${label} · ${keysHere(keys)}` : label}
      className={classes(styles.button, styles[size], styles[tip], className)}
    >
      <Icon name={icon} size={size === 's' ? 18 : 20} />
    </button>
  );
}
