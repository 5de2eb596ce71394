import { render, screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { describe, expect, it, vi } from 'vitest';
import type { SidebarActions, SidebarSnapshot } from './sidebar';
import { sidebar } from './SidebarView.stories';
import { SidebarView } from './SidebarView';

function setUp(change: Partial<SidebarSnapshot> = {}) {
  const actions: SidebarActions = {
    find: vi.fn(),
    newChannel: vi.fn(),
    newGroup: vi.fn(),
    newDirect: vi.fn(),
    browse: vi.fn(),
    keys: vi.fn(),
    invite: vi.fn(),
    settings: vi.fn(),
    siteSettings: vi.fn(),
    setPresence: vi.fn(),
    signOut: vi.fn(),
  };
  render(<SidebarView snapshot={{ ...sidebar, ...change }} actions={actions} />);
  return { actions, user: userEvent.setup() };
}

describe('SidebarView', () => {
  it('says in words what its marks say', () => {
    setUp();
    for (const [name, marks] of [
      ['ubuntu', '2 mentions, 120 unread'],
      ['random', '4 unread, muted'],
      ['Jonas Lindqvist', 'Away, 3 unread'],
    ] as const) {
      const link = screen.getByRole('link', { name: new RegExp(`^${name}`, 'u') });
      expect(link.textContent.toLowerCase()).toContain(marks.toLowerCase());
    }
  });

  it('names the conversation that is open', () => {
    setUp();
    const open = screen.getAllByRole('link').filter((link) => link.getAttribute('aria-current') === 'page');
    expect(open.map((link) => link.getAttribute('href'))).toEqual(['/c/general']);
  });

  it('folds a section, and unfolds it', async () => {
    const { user } = setUp();
    const channels = screen.getByRole('region', { name: 'Channels' });
    const fold = within(channels).getByRole('button', { name: 'Channels' });
    await user.click(fold);
    expect(fold.getAttribute('aria-expanded')).toBe('false');
    expect(within(channels).queryByRole('link', { name: /^design/u })).toBeNull();
    await user.click(fold);
    expect(within(channels).getByRole('link', { name: /^design/u })).toBeTruthy();
  });

  it('offers invitations to owners of the site alone', async () => {
    const { user, actions } = setUp({ owner: true });
    await user.click(screen.getByRole('button', { name: 'Mira Okafor, Online, Your menu' }));
    await user.click(screen.getByRole('menuitem', { name: 'Invite people', hidden: true }));
    expect(actions.invite).toHaveBeenCalledOnce();
  });

  it('and not to others', async () => {
    const { user } = setUp({ owner: false });
    await user.click(screen.getByRole('button', { name: /Your menu/u }));
    expect(screen.queryByRole('menuitem', { name: 'Invite people', hidden: true })).toBeNull();
  });

  it('leads on where there is nothing yet', async () => {
    const { user, actions } = setUp({ sections: [] });
    await user.click(screen.getByRole('button', { name: 'Browse channels' }));
    expect(actions.browse).toHaveBeenCalledOnce();
  });
});
