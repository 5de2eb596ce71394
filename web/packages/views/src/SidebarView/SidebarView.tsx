import { useRef } from 'react';
import { IconButton } from '../Button/IconButton';
import { Icon } from '../Icon/Icon';
import { useStrings } from '../strings/strings';
import { keysHere, spokenKeys } from '../text/keys';
import { EntryView } from './EntryView';
import { MenuButton } from './MenuButton';
import { MeButton } from './MeButton';
import { Section } from './Section';
import type { SidebarActions, SidebarSnapshot } from './sidebar';
import styles from './SidebarView.module.css';
import { useUnreadBeyond } from './useUnreadBeyond';

export interface SidebarViewProps {
  snapshot: SidebarSnapshot;
  actions: SidebarActions;
}

export function SidebarView({ snapshot, actions }: SidebarViewProps) {
  const strings = useStrings();
  const list = useRef<HTMLDivElement>(null);
  const beyond = useUnreadBeyond(list, snapshot);
  const empty = snapshot.sections.every((section) => section.entries.length === 0);
  return (
    <>
      <header className={styles.top}>
        <h1 className={styles.site}>{snapshot.site}</h1>
        <NewMenu actions={actions} />
      </header>
      <button
        type="button"
        className={styles.find}
        aria-keyshortcuts={spokenKeys('Ctrl+K')}
        onClick={actions.find}
      >
        <Icon name="search" size={16} />
        <span>{strings.sidebar.find}</span>
        <kbd className={styles.kbd} aria-hidden>
          {keysHere('Ctrl+K')}
        </kbd>
      </button>
      <div className={styles.middle}>
        {beyond.above && (
          <Beyond label={strings.sidebar.moreAbove} where="above" onPress={beyond.showAbove} />
        )}
        <div ref={list} className={styles.list} onScroll={beyond.look}>
          {empty && !snapshot.loading && <Nobody actions={actions} />}
          {snapshot.sections.map((section) => (
            <Section key={section.id} section={section} actions={actions}>
              {(entry) => (
                <EntryView
                  key={entry.id}
                  entry={entry}
                  selected={entry.id === snapshot.selected}
                  preview={snapshot.previews}
                  now={snapshot.now}
                />
              )}
            </Section>
          ))}
        </div>
        {beyond.below && (
          <Beyond label={strings.sidebar.moreBelow} where="below" onPress={beyond.showBelow} />
        )}
      </div>
      <footer className={styles.foot}>
        <MeButton snapshot={snapshot} actions={actions} />
        <IconButton icon="settings" label={strings.sidebar.settings} tip="above" onClick={actions.settings} />
      </footer>
    </>
  );
}

function NewMenu({ actions }: Pick<SidebarViewProps, 'actions'>) {
  const words = useStrings().sidebar;
  return (
    <MenuButton
      icon="plus"
      label={words.newConversation}
      items={[
        { id: 'direct', label: words.newDirect, icon: 'person', onSelect: actions.newDirect },
        { id: 'group', label: words.newGroup, icon: 'people', onSelect: actions.newGroup },
        { id: 'channel', label: words.newChannel, icon: 'hash', onSelect: actions.newChannel },
        { id: 'browse', label: words.browse, icon: 'compass', separated: true, onSelect: actions.browse },
      ]}
    />
  );
}

function Beyond({ label, where, onPress }: { label: string; where: 'above' | 'below'; onPress: () => void }) {
  return (
    <button type="button" className={styles.beyond} data-where={where} onClick={onPress}>
      <Icon name={where === 'above' ? 'arrowUp' : 'arrowDown'} size={14} />
      {label}
    </button>
  );
}

function Nobody({ actions }: Pick<SidebarViewProps, 'actions'>) {
  const words = useStrings().sidebar;
  return (
    <div className={styles.nobody}>
      <p className={styles.nobodyTitle}>{words.emptyTitle}</p>
      <p>{words.emptyText}</p>
      <button type="button" className={styles.way} onClick={actions.browse}>
        <Icon name="compass" size={18} /> {words.browse}
      </button>
      <button type="button" className={styles.way} onClick={actions.newDirect}>
        <Icon name="person" size={18} /> {words.newDirect}
      </button>
    </div>
  );
}
