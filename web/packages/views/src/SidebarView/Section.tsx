import { useState, type ReactNode } from 'react';
import { IconButton } from '../Button/IconButton';
import { Icon } from '../Icon/Icon';
import { useStrings } from '../strings/strings';
import { classes } from '../text/classes';
import type { ConversationEntry, SidebarActions, SidebarSection } from './sidebar';
import styles from './SidebarView.module.css';

const atFirst = 100;

interface Props {
  section: SidebarSection;
  actions: SidebarActions;
  children: (entry: ConversationEntry) => ReactNode;
}

/** A named part of the list. Folded, it still shows what is unread; very long, it shows the first hundred. */
export function Section({ section, actions, children }: Props) {
  const strings = useStrings();
  const [open, setOpen] = useState(true);
  const [shown, setShown] = useState(atFirst);
  const label = strings.sidebar[section.id];
  if (section.entries.length === 0) return null;
  const visible = section.entries.filter((entry, index) => (open && index < shown) || entry.unread > 0);
  return (
    <section className={styles.section} aria-label={label}>
      <div className={styles.heading}>
        <h2 className={styles.title}>
          <button type="button" className={styles.fold} aria-expanded={open} onClick={() => setOpen(!open)}>
            <span className={classes(styles.arrow, open && styles.arrowOpen)}>
              <Icon name="forward" size={12} />
            </span>
            {label}
          </button>
        </h2>
        {section.id === 'channels' && (
          <IconButton icon="compass" size="s" label={strings.sidebar.browse} onClick={actions.browse} />
        )}
        {section.id === 'direct' && (
          <IconButton icon="edit" size="s" label={strings.sidebar.newDirect} onClick={actions.newDirect} />
        )}
      </div>
      <ul>{visible.map(children)}</ul>
      {open && section.entries.length > shown && (
        <button type="button" className={styles.more} onClick={() => setShown(shown + atFirst)}>
          {strings.common.more}
        </button>
      )}
    </section>
  );
}
