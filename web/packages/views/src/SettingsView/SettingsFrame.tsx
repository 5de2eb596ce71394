import type { ReactNode } from 'react';
import { IconButton } from '../Button/IconButton';
import { Icon, type IconName } from '../Icon/Icon';
import { useStrings } from '../strings/strings';
import styles from './SettingsFrame.module.css';

export interface SettingsLink {
  id: string;
  href: string;
  label: string;
  icon: IconName;
}

export interface SettingsFrameProps {
  groups: { label: string; links: SettingsLink[] }[];
  /** The page that is open; on a phone, nothing means the list. */
  current: string | null;
  title: string;
  children: ReactNode;
  onClose: () => void;
  onBack: () => void;
}

/** The settings around their pages. */
export function SettingsFrame({ groups, current, title, children, onClose, onBack }: SettingsFrameProps) {
  const strings = useStrings();
  return (
    <div className={styles.settings} data-open={current !== null}>
      <nav className={styles.nav} aria-label={strings.settings.title}>
        <header className={styles.head}>
          <IconButton icon="back" label={strings.common.back} onClick={onClose} />
          <h1 className={styles.heading}>{strings.settings.title}</h1>
        </header>
        {groups.map((group) => (
          <section key={group.label} className={styles.group} aria-label={group.label}>
            <h2 className={styles.label}>{group.label}</h2>
            <ul>
              {group.links.map((link) => (
                <li key={link.id}>
                  <a
                    href={link.href}
                    className={styles.link}
                    aria-current={link.id === current ? 'page' : undefined}
                  >
                    <Icon name={link.icon} size={18} />
                    {link.label}
                  </a>
                </li>
              ))}
            </ul>
          </section>
        ))}
      </nav>
      <main className={styles.main}>
        <header className={styles.head}>
          <IconButton icon="back" label={strings.settings.title} className={styles.toList} onClick={onBack} />
          <h1 className={styles.title}>{title}</h1>
          <IconButton icon="close" label={strings.common.close} keys="Esc" onClick={onClose} />
        </header>
        <div className={styles.page}>{children}</div>
      </main>
    </div>
  );
}
