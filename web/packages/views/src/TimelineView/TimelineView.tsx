import { useCallback, useEffect, useLayoutEffect, useRef, useState, type FocusEvent } from 'react';
import type { MessageActions } from '../MessageView/message';
import { useStrings } from '../strings/strings';
import { useVirtualizer } from '../Virtual/useVirtualizer';
import type { Sight } from '../Virtual/Virtualizer';
import { DayPill } from './DayPill';
import { LatestButton } from './LatestButton';
import { moveFocus } from './moveFocus';
import { TimelineRowView } from './RowView';
import { rowTraits, type TimelineRow } from './rows';
import { FailedTimeline, SkeletonTimeline } from './states';
import styles from './TimelineView.module.css';

/** Where to go: a seq, a third down the window, or the end. A new object is a new wish. */
export type Jump = { seq: number; share?: number } | { seq: 'end' };

export interface TimelineViewSnapshot {
  conversation: string;
  name: string;
  rows: readonly TimelineRow[];
  phase: 'loading' | 'ready' | 'failed';
  problem: string | null;
  jump: Jump | null;
  /** The id of a message to mark for a moment. */
  flashed: string | null;
  /** New messages below what is on the screen. */
  newBelow: number;
  /** What a screen reader is to say of the newest arrival. */
  announcement: string;
  recentEmoji: string[];
  now: number;
}

export interface TimelineViewActions extends MessageActions {
  /** Told as often as it changes, at most once a frame. */
  seen: (sight: Sight) => void;
  toLatest: () => void;
  toDate: (at: number) => void;
  reload: () => void;
}

export interface TimelineViewProps {
  snapshot: TimelineViewSnapshot;
  actions: TimelineViewActions;
}

export function TimelineView({ snapshot, actions }: TimelineViewProps) {
  const strings = useStrings();
  const { rows, phase } = snapshot;
  return (
    <section className={styles.timeline} aria-label={strings.timeline.label(snapshot.name)}>
      {rows.length > 0 && <Log key={snapshot.conversation} snapshot={snapshot} actions={actions} />}
      {rows.length === 0 && phase === 'loading' && <SkeletonTimeline />}
      {rows.length === 0 && phase === 'failed' && (
        <FailedTimeline problem={snapshot.problem ?? ''} onRetry={actions.reload} />
      )}
      <p className="visually-hidden" role="status" aria-live="polite">
        {snapshot.announcement}
      </p>
    </section>
  );
}

function Log({ snapshot, actions }: TimelineViewProps) {
  const strings = useStrings();
  const { rows, jump } = snapshot;
  const [sight, setSight] = useState<Sight | null>(null);
  const seen = useRef(actions.seen);
  useEffect(() => {
    seen.current = actions.seen;
  }, [actions.seen]);
  const onSight = useCallback((next: Sight) => {
    setSight((last) => (last?.topKey === next.topKey && last.atEnd === next.atEnd ? last : next));
    seen.current(next);
  }, []);
  const { virtualizer, slice, scroller, content, onScroll } = useVirtualizer(rows, rowTraits, onSight);
  const [focused, setFocused] = useState<string | null>(null);

  useLayoutEffect(() => {
    if (!jump) return;
    if (jump.seq === 'end') virtualizer.showEnd();
    else virtualizer.showSeq(jump.seq, jump.share);
  }, [virtualizer, jump]);

  const reachable = reachableKey(slice.rows, focused);
  const onFocus = (event: FocusEvent) => {
    const row = event.target instanceof HTMLElement ? event.target.closest<HTMLElement>('[data-key]') : null;
    if (row?.dataset['key']) setFocused(row.dataset['key']);
  };
  return (
    <>
      {sight && (
        <DayPill
          at={dayAt(rows, sight.topKey)}
          now={snapshot.now}
          atEnd={sight.atEnd}
          onDate={actions.toDate}
        />
      )}
      <div
        ref={scroller}
        className={styles.scroller}
        role="log"
        aria-live="off"
        aria-label={strings.timeline.label(snapshot.name)}
        tabIndex={-1}
        onScroll={onScroll}
        onFocus={onFocus}
        onKeyDown={(event) => moveFocus(event, content.current, virtualizer, actions.toLatest)}
      >
        <div className={styles.space} style={{ height: slice.total }}>
          <div ref={content} className={styles.rows} style={{ top: slice.before }}>
            {slice.rows.map((row) => (
              <TimelineRowView
                key={row.key}
                row={row}
                now={snapshot.now}
                flashed={row.type === 'message' && row.message.id === snapshot.flashed}
                reachable={row.key === reachable}
                recentEmoji={snapshot.recentEmoji}
                actions={actions}
              />
            ))}
          </div>
        </div>
      </div>
      {sight && !sight.atEnd && <LatestButton count={snapshot.newBelow} onPress={actions.toLatest} />}
    </>
  );
}

/** One message is in the order of Tab: the one that had the focus, or the newest that is drawn. */
function reachableKey(rows: readonly TimelineRow[], focused: string | null): string | undefined {
  if (rows.some((row) => row.key === focused)) return focused ?? undefined;
  return rows.findLast((row) => row.type === 'message')?.key;
}

/** The time of what stands at the top edge; of a stretch that is not loaded nothing is known. */
function dayAt(rows: readonly TimelineRow[], key: string): number | null {
  const row = rows.find((candidate) => candidate.key === key);
  if (row?.type === 'message') return row.message.at;
  return row?.type === 'notice' ? row.at : null;
}
