import { Button } from '../Button/Button';
import { Icon, type IconName } from '../Icon/Icon';
import { Logo } from '../Logo/Logo';
import styles from './EmptyView.module.css';

export interface EmptyViewProps {
  icon?: IconName;
  logo?: boolean;
  title: string;
  text: string;
  actions?: { label: string; primary?: boolean; onPress: () => void }[];
}

/** A place with nothing in it, which says so kindly. */
export function EmptyView({ icon, logo, title, text, actions = [] }: EmptyViewProps) {
  return (
    <div className={styles.empty}>
      {logo && <Logo size={56} />}
      {icon && (
        <span className={styles.icon}>
          <Icon name={icon} size={32} />
        </span>
      )}
      <h2 className={styles.title}>{title}</h2>
      <p>{text}</p>
      <div className={styles.actions}>
        {actions.map((action) => (
          <Button key={action.label} look={action.primary ? 'primary' : 'plain'} onClick={action.onPress}>
            {action.label}
          </Button>
        ))}
      </div>
    </div>
  );
}
