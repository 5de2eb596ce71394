import type { ReactNode } from 'react';
import { useStrings } from '../strings/strings';
import { classes } from '../text/classes';
import { Divider } from './Divider';
import styles from './ShellView.module.css';

export interface ShellWidths {
  sidebar: number;
  panel: number;
}

export interface ShellViewProps {
  sidebar: ReactNode;
  /** A calm line over everything, when there is something to say. */
  banner?: ReactNode;
  main: ReactNode;
  panel?: ReactNode;
  /** Which pane a phone shows. */
  pane: 'sidebar' | 'main' | 'panel';
  widths: ShellWidths;
  onWidths: (widths: ShellWidths) => void;
}

/** Three panes on a wide screen, one at a time on a narrow one. */
export function ShellView({ sidebar, banner, main, panel, pane, widths, onWidths }: ShellViewProps) {
  const strings = useStrings();
  return (
    <div className={styles.shell} data-pane={pane}>
      <a className={styles.skip} href="#main">
        {strings.common.skipToMessages}
      </a>
      {banner}
      <div className={styles.panes}>
        <nav
          className={classes(styles.pane, styles.sidebar)}
          style={{ inlineSize: widths.sidebar }}
          aria-label={strings.sidebar.conversations}
        >
          {sidebar}
          <Divider
            label={strings.sidebar.resize}
            width={widths.sidebar}
            side="start"
            onWidth={(width) => onWidths({ ...widths, sidebar: width })}
          />
        </nav>
        <main id="main" className={classes(styles.pane, styles.main)} tabIndex={-1}>
          {main}
        </main>
        {panel && (
          <aside
            className={classes(styles.pane, styles.panel)}
            style={{ inlineSize: widths.panel }}
            aria-label={strings.panel.label}
          >
            <Divider
              label={strings.sidebar.resizePanel}
              width={widths.panel}
              side="end"
              onWidth={(width) => onWidths({ ...widths, panel: width })}
            />
            {panel}
          </aside>
        )}
      </div>
    </div>
  );
}
