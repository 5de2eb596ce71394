import { memo } from 'react';
import { Button } from '../Button/Button';
import { MessageView } from '../MessageView/MessageView';
import type { MessageActions } from '../MessageView/message';
import { useStrings } from '../strings/strings';
import { dayLabel, exactTime, isoDay } from '../text/times';
import type { GapRow, NoticeRow, StartRow, TimelineRow } from './rows';
import { SkeletonRows } from './states';
import styles from './RowView.module.css';

interface Props {
  row: TimelineRow;
  now: number;
  flashed: boolean;
  reachable: boolean;
  recentEmoji: string[];
  actions: MessageActions & { reload: () => void };
}

export const TimelineRowView = memo(function TimelineRowView({ row, now, ...rest }: Props) {
  const words = useStrings().timeline;
  return (
    <div data-key={row.key} className={styles.cell}>
      {row.day !== null && (
        <div className={styles.day} role="separator" aria-label={dayLabel(row.day, now)}>
          <time dateTime={isoDay(row.day)}>{dayLabel(row.day, now)}</time>
        </div>
      )}
      {row.unread && (
        <div className={styles.unread} role="separator" aria-label={words.newMessages}>
          <span>{words.newMessages}</span>
        </div>
      )}
      <Content row={row} {...rest} />
    </div>
  );
});

function Content({ row, ...rest }: Omit<Props, 'now'>) {
  switch (row.type) {
    case 'message':
      return <MessageView message={row.message} grouped={row.grouped} {...rest} />;
    case 'notice':
      return <Notice row={row} />;
    case 'gap':
      return <Gap row={row} onRetry={rest.actions.reload} />;
    case 'start':
      return <Start row={row} />;
  }
}

function Notice({ row }: { row: NoticeRow }) {
  return (
    <p className={styles.notice} title={exactTime(row.at)} dir="auto">
      {row.lines.join(' · ')}
    </p>
  );
}

function Gap({ row, onRetry }: { row: GapRow; onRetry: () => void }) {
  const strings = useStrings();
  return (
    <div className={styles.gap} style={{ height: row.estimate }}>
      <div className={styles.ghosts}>
        {row.failed ? (
          <p className={styles.failed} role="alert">
            <span>{strings.timeline.failed}</span>
            <Button small onClick={onRetry}>
              {strings.common.tryAgain}
            </Button>
          </p>
        ) : (
          <SkeletonRows count={14} />
        )}
      </div>
    </div>
  );
}

function Start({ row }: { row: StartRow }) {
  return (
    <header className={styles.start}>
      <h2 className={styles.title}>{row.title}</h2>
      {row.text && <p>{row.text}</p>}
    </header>
  );
}
