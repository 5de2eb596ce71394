import { render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { describe, expect, it, vi } from 'vitest';
import { message, messageActions } from '../testing/fixtures';
import type { MessageSnapshot } from './message';
import { MessageView } from './MessageView';

const all = { write: true, edit: true, remove: true, pin: true };

function setUp(change: Partial<MessageSnapshot> = {}, text?: string) {
  const actions = {
    ...messageActions,
    reply: vi.fn(),
    edit: vi.fn(),
    remove: vi.fn(),
    retry: vi.fn(),
    react: vi.fn(),
  };
  render(
    <MessageView
      message={message(change, text)}
      grouped={false}
      reachable
      recentEmoji={['👍']}
      actions={actions}
    />,
  );
  return { actions, row: screen.getByRole('article'), user: userEvent.setup() };
}

describe('MessageView', () => {
  it('is named by author and time', () => {
    const { row } = setUp();
    expect(row.getAttribute('aria-label')).toMatch(/^Jonas Lindqvist, 12/u);
  });

  it('does by one key what the menu does', async () => {
    const { actions, row, user } = setUp({ can: all });
    row.focus();
    await user.keyboard('re{Delete}');
    expect([actions.reply, actions.edit, actions.remove].map((action) => action.mock.calls.length)).toEqual([
      1, 1, 1,
    ]);
  });

  it('opens its menu by Enter, moves by arrows, and gives the focus back', async () => {
    const { actions, row, user } = setUp({ can: all });
    row.focus();
    await user.keyboard('{Enter}');
    expect(screen.getByRole('menuitem', { name: /React/u, hidden: true })).toBe(document.activeElement);
    await user.keyboard('{ArrowDown}{Enter}');
    expect(actions.reply).toHaveBeenCalledOnce();
    expect(row).toBe(document.activeElement);
  });

  it('has nothing in it that one may not do', async () => {
    const { row, user } = setUp({ can: { write: true, edit: false, remove: false, pin: false } });
    row.focus();
    await user.keyboard('{Enter}');
    expect(screen.queryByRole('menuitem', { name: /Edit|Delete|Pin/u, hidden: true })).toBeNull();
  });

  it('says why it failed, and tries again', async () => {
    const { actions, user } = setUp({ seq: null, state: 'failed', problem: 'This is too long.' });
    expect(screen.getByText(/This is too long/u)).toBeTruthy();
    await user.click(screen.getByRole('button', { name: 'Try again' }));
    expect(actions.retry).toHaveBeenCalledOnce();
  });

  it('takes back a reaction of one’s own', async () => {
    const { actions, user } = setUp({ reactions: [{ emoji: '🎉', count: 1, names: ['you'], mine: true }] });
    await user.click(screen.getByRole('button', { name: /🎉.*by you/u }));
    expect(actions.react).toHaveBeenCalledWith('m-1', '🎉', false);
  });

  it('shows what a person wrote as text, whatever it looks like', () => {
    setUp({}, '<img src=x onerror=alert(1)> [x](javascript:alert(1))');
    expect(document.querySelector('img, a')).toBeNull();
    expect(screen.getByText(/<img src=x/u)).toBeTruthy();
  });
});
