import { render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { describe, expect, it, vi } from 'vitest';
import { DetailsView, type DetailsSnapshot } from './DetailsView';

function setUp(change: Partial<DetailsSnapshot> = {}) {
  const actions = {
    change: vi.fn(() => Promise.resolve(true)),
    setNotify: vi.fn(),
    setFavourite: vi.fn(),
    setHistory: vi.fn(),
    copyLink: vi.fn(),
    members: vi.fn(),
    leave: vi.fn(),
  };
  const snapshot: DetailsSnapshot = {
    kind: 'channel',
    name: 'garden',
    topic: 'What grows',
    members: 3,
    notify: 'all',
    favourite: false,
    history: 'all',
    can: { change: true, changeHistory: true, leave: true },
    ...change,
  };
  render(<DetailsView snapshot={snapshot} actions={actions} />);
  return { actions, user: userEvent.setup() };
}

describe('DetailsView', () => {
  it('changes name and topic together, and shows them again', async () => {
    const { actions, user } = setUp();
    await user.click(screen.getByRole('button', { name: 'Edit' }));
    const name = screen.getByRole('textbox', { name: 'Name' });
    await user.clear(name);
    await user.type(name, 'allotment');
    await user.click(screen.getByRole('button', { name: 'Save' }));
    expect(actions.change).toHaveBeenCalledWith({ name: 'allotment', topic: 'What grows' });
    expect(screen.queryByRole('textbox', { name: 'Name' })).toBeNull();
  });

  it('has nothing to change for those who may not', () => {
    setUp({ can: { change: false, changeHistory: false, leave: true } });
    expect(screen.queryByRole('button', { name: 'Edit' })).toBeNull();
    expect(screen.queryByRole('group', { name: 'New members can read' })).toBeNull();
  });

  it('is told apart by what one wants to hear', async () => {
    const { actions, user } = setUp();
    await user.click(screen.getByRole('radio', { name: 'Mentions only' }));
    await user.click(screen.getByRole('switch', { name: 'Favourite' }));
    expect(actions.setNotify).toHaveBeenCalledWith('mentions');
    expect(actions.setFavourite).toHaveBeenCalledWith(true);
  });
});
