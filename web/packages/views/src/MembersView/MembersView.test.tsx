import { render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, it, vi } from 'vitest';
import { jonas, mira, nothing } from '../testing/fixtures';
import { MembersView } from './MembersView';

const actions = () => ({
  search: nothing,
  more: nothing,
  add: nothing,
  show: vi.fn(),
  setRole: vi.fn(),
  remove: vi.fn(),
});

it('offers what one may do with a member, and nothing else', async () => {
  const made = actions();
  render(
    <MembersView
      snapshot={{
        query: '',
        loading: false,
        more: false,
        canAdd: false,
        members: [
          { ...mira, role: 'owner', presence: 'online', me: true, can: { roles: [], remove: false } },
          {
            ...jonas,
            role: 'member',
            presence: 'away',
            me: false,
            can: { roles: ['moderator'], remove: true },
          },
        ],
      }}
      actions={made}
    />,
  );
  const user = userEvent.setup();
  expect(screen.queryByRole('button', { name: 'Add people' })).toBeNull();
  expect(screen.queryByRole('button', { name: 'Actions for Mira Okafor' })).toBeNull();
  expect(screen.getByRole('button', { name: 'Mira Okafor (you), @mira, Owner, Online' })).toBeTruthy();
  await user.click(screen.getByRole('button', { name: 'Jonas Lindqvist, @jonas, Away' }));
  expect(made.show).toHaveBeenCalledWith('u-jonas');
  await user.click(screen.getByRole('button', { name: 'Actions for Jonas Lindqvist' }));
  expect(screen.queryByRole('menuitem', { name: 'Make owner', hidden: true })).toBeNull();
  await user.click(screen.getByRole('menuitem', { name: 'Make moderator', hidden: true }));
  expect(made.setRole).toHaveBeenCalledWith('u-jonas', 'moderator');
});
