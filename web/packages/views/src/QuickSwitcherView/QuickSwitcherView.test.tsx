import { render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, it, vi } from 'vitest';
import { QuickSwitcherView, type SwitcherEntry } from './QuickSwitcherView';

const entry = (id: string): SwitcherEntry => ({
  id,
  kind: 'channel',
  name: id,
  detail: '',
  person: null,
  unread: 0,
});

it('is used by the keyboard alone', async () => {
  const open = vi.fn();
  const entries = ['one', 'two', 'three'].map(entry);
  render(
    <QuickSwitcherView
      snapshot={{ query: '', entries }}
      actions={{ search: vi.fn(), open, close: vi.fn() }}
    />,
  );
  const field = screen.getByRole('combobox');
  expect(field).toBe(document.activeElement);
  await userEvent.keyboard('{ArrowDown}{ArrowUp}{ArrowUp}{Enter}');
  expect(open).toHaveBeenCalledWith(entries[2]);
});
