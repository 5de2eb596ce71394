import { messageActions, noon, nothing, row, rows } from '../testing/fixtures';
import type { TimelineRow } from './rows';
import { TimelineView, type TimelineViewSnapshot } from './TimelineView';

const actions = { ...messageActions, seen: nothing, toLatest: nothing, toDate: nothing, reload: nothing };

function show(change: Partial<TimelineViewSnapshot>) {
  const snapshot: TimelineViewSnapshot = {
    conversation: 'c',
    name: 'general',
    rows: [],
    phase: 'ready',
    problem: null,
    jump: null,
    flashed: null,
    newBelow: 0,
    announcement: '',
    recentEmoji: ['👍'],
    now: noon,
    ...change,
  };
  return (
    <div style={{ display: 'flex', blockSize: 420 }}>
      <TimelineView snapshot={snapshot} actions={actions} />
    </div>
  );
}

const base = { day: null, unread: false } as const;
const start: TimelineRow = {
  ...base,
  type: 'start',
  key: 'start',
  from: 1,
  to: 0,
  estimate: 120,
  title: 'This is where #general begins',
  text: 'What everybody should know',
};
const gap: TimelineRow = {
  ...base,
  type: 'gap',
  key: 'gap',
  from: 1,
  to: 400,
  estimate: 13_600,
  failed: false,
};
const notice: TimelineRow = {
  ...base,
  type: 'notice',
  key: 'n',
  from: 2,
  to: 4,
  estimate: 28,
  at: noon,
  lines: ['Aiko and Jonas joined'],
};

export const Loading = () => show({ phase: 'loading' });
export const Failed = () => show({ phase: 'failed', problem: 'The server cannot be reached.' });
export const Empty = () => show({ rows: [start] });
export const Full = () => show({ rows: rows(40) });
export const Unread = () =>
  show({ rows: [start, notice, row(5), row(6, { unread: true }), row(7)], newBelow: 2 });
export const NotLoaded = () => show({ rows: [gap, row(401), row(402)] });
export const GapFailed = () => show({ rows: [{ ...gap, to: 8, estimate: 300, failed: true }, row(9)] });
export const Linked = () => show({ rows: rows(12), flashed: 'm-4', jump: { seq: 4 } });
