import { render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { describe, expect, it, vi } from 'vitest';
import { messageActions, noon, rows } from '../testing/fixtures';
import { TimelineView, type TimelineViewSnapshot } from './TimelineView';

function setUp(change: Partial<TimelineViewSnapshot> = {}) {
  const actions = { ...messageActions, seen: vi.fn(), toLatest: vi.fn(), toDate: vi.fn(), reload: vi.fn() };
  const snapshot: TimelineViewSnapshot = {
    conversation: 'c',
    name: 'general',
    rows: rows(20),
    phase: 'ready',
    problem: null,
    jump: null,
    flashed: null,
    newBelow: 0,
    announcement: '',
    recentEmoji: [],
    now: noon,
    ...change,
  };
  render(<TimelineView snapshot={snapshot} actions={actions} />);
  return { actions, user: userEvent.setup() };
}

describe('TimelineView', () => {
  it('is a log that does not read out what only scrolled into view', () => {
    setUp();
    expect(screen.getByRole('log').getAttribute('aria-live')).toBe('off');
  });

  it('says what has arrived, politely', () => {
    setUp({ announcement: 'Aiko: hello' });
    const region = screen.getByText('Aiko: hello');
    expect(region.getAttribute('aria-live')).toBe('polite');
  });

  it('has one message in the order of Tab, and moves by arrows', async () => {
    const { user, actions } = setUp();
    const messages = screen.getAllByRole('article');
    expect(messages.filter((message) => message.tabIndex === 0)).toEqual([messages.at(-1)]);
    messages.at(-1)?.focus();
    await user.keyboard('{ArrowUp}');
    expect(messages.at(-2)).toBe(document.activeElement);
    await user.keyboard('{End}');
    expect(actions.toLatest).toHaveBeenCalledOnce();
  });

  it('says why nothing could be loaded, and tries again', async () => {
    const { user, actions } = setUp({ rows: [], phase: 'failed', problem: 'The server cannot be reached.' });
    await user.click(screen.getByRole('button', { name: 'Try again' }));
    expect(actions.reload).toHaveBeenCalledOnce();
  });
});
