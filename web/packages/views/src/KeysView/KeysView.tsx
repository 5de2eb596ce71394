import { Dialog } from '../Dialog/Dialog';
import { useStrings, type Strings } from '../strings/strings';
import { keysHere } from '../text/keys';
import styles from './KeysView.module.css';

type Line = [what: string, ...keys: string[]];

function groups({ keys: words }: Strings): [title: string, lines: Line[]][] {
  return [
    [
      words.everywhere,
      [
        [words.jump, 'Ctrl+K'],
        [words.previous, 'Alt+↑'],
        [words.next, 'Alt+↓'],
        [words.nextUnread, 'Alt+Shift+↓'],
        [words.details, 'Ctrl+.'],
        [words.escape, 'Esc'],
        [words.sheet, '?'],
      ],
    ],
    [
      words.inMessages,
      [
        [words.move, '↑', '↓'],
        [words.menu, 'Enter'],
        [words.reply, 'R'],
        [words.edit, 'E'],
        [words.react, '+'],
        [words.pin, 'P'],
        [words.copyText, 'C'],
        [words.copyLink, 'L'],
        [words.unread, 'U'],
        [words.remove, 'Del'],
        [words.latest, 'End'],
      ],
    ],
    [
      words.inComposer,
      [
        [words.send, 'Enter'],
        [words.line, 'Shift+Enter'],
        [words.editLast, '↑'],
        [words.complete, '@', '#', ':'],
        [words.bold, 'Ctrl+B'],
        [words.italic, 'Ctrl+I'],
        [words.code, 'Ctrl+E'],
      ],
    ],
  ];
}

/** All keys on one sheet. */
export function KeysView({ onClose }: { onClose: () => void }) {
  const strings = useStrings();
  return (
    <Dialog title={strings.keys.title} size="l" onClose={onClose}>
      <div className={styles.sheet}>
        {groups(strings).map(([title, lines]) => (
          <section key={title}>
            <h3 className={styles.title}>{title}</h3>
            <dl>
              {lines.map(([what, ...keys]) => (
                <div key={what} className={styles.line}>
                  <dt>{what}</dt>
                  <dd>
                    {keys.map((key) => (
                      <kbd key={key} className={styles.key}>
                        {keysHere(key)}
                      </kbd>
                    ))}
                  </dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}
