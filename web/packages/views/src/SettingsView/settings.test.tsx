import { render, screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { describe, expect, it, vi } from 'vitest';
import { jonas, mira, noon, nothing } from '../testing/fixtures';
import { CloseAccountSettings } from './CloseAccountSettings';
import { InviteSettings } from './InviteSettings';
import { NotificationSettings } from './NotificationSettings';
import { PasswordSettings } from './PasswordSettings';
import { PeopleSettings } from './PeopleSettings';
import { ProfileSettings } from './ProfileSettings';
import { SiteSettings } from './SiteSettings';

describe('settings', () => {
  it('save a profile that was changed, and no other', async () => {
    const save = vi.fn(() => Promise.resolve());
    const profile = { id: 'u', handle: 'mira', displayName: 'Mira', about: '' };
    render(<ProfileSettings snapshot={profile} actions={{ save }} />);
    const user = userEvent.setup();
    const button = screen.getByRole<HTMLButtonElement>('button', { name: 'Save' });
    expect(button.disabled).toBe(true);
    expect(screen.queryByDisplayValue('mira'), 'what stays as it is is no field').toBeNull();
    await user.type(screen.getByRole('textbox', { name: 'About you' }), 'Bread ');
    await user.click(button);
    expect(save).toHaveBeenCalledExactlyOnceWith({ displayName: 'Mira', about: 'Bread' });
  });

  it('change a password that is long enough, and forget what was typed', async () => {
    const change = vi.fn(() => Promise.resolve(true));
    render(<PasswordSettings snapshot={{ leastPassword: 8 }} actions={{ change }} />);
    const user = userEvent.setup();
    const [current, next] = [
      screen.getByLabelText('Current password'),
      screen.getByLabelText('New password'),
    ];
    await user.type(current, 'until now');
    await user.type(next, 'short');
    await user.click(screen.getByRole('button', { name: 'Change password' }));
    expect(change).not.toHaveBeenCalled();
    expect(next.getAttribute('aria-invalid')).toBe('true');
    await user.type(next, ' no more');
    await user.click(screen.getByRole('button', { name: 'Change password' }));
    expect(change).toHaveBeenCalledWith('until now', 'short no more');
    await waitFor(() => expect((current as HTMLInputElement).value).toBe(''));
  });

  it('close an account only with its password', async () => {
    const close = vi.fn(() => Promise.resolve());
    render(<CloseAccountSettings actions={{ close }} />);
    const user = userEvent.setup();
    const button = screen.getByRole<HTMLButtonElement>('button', { name: 'Close my account for good' });
    expect(button.disabled).toBe(true);
    await user.type(screen.getByLabelText('Your password, to be sure it is you'), 'secret words');
    await user.click(button);
    expect(close).toHaveBeenCalledWith('secret words');
  });

  it('make an invitation as it was chosen, and take one back', async () => {
    const actions = { create: vi.fn(), copy: vi.fn(), withdraw: vi.fn() };
    const invites = [{ id: 'i1', usesLeft: 2, expiresAt: null }];
    render(
      <InviteSettings
        snapshot={{ invites, loading: false, busy: false, link: null, now: noon }}
        actions={actions}
      />,
    );
    const user = userEvent.setup();
    await user.selectOptions(screen.getByRole('combobox', { name: 'Can be used' }), 'without limit');
    await user.selectOptions(screen.getByRole('combobox', { name: 'Ends after' }), '1 day');
    await user.click(screen.getByRole('button', { name: 'Make an invitation link' }));
    expect(actions.create).toHaveBeenCalledWith({ uses: null, hours: 24 });
    await user.click(screen.getByRole('button', { name: 'Withdraw' }));
    expect(actions.withdraw).toHaveBeenCalledWith('i1');
  });

  it('make owners of people who are here, and of nobody who was imported', async () => {
    const actions = { search: nothing, more: nothing, setRole: vi.fn(), reset: vi.fn(), copyReset: nothing };
    const people = [
      { ...mira, role: 'member', state: 'active', me: false } as const,
      { ...jonas, role: 'member', state: 'imported', me: false } as const,
    ];
    render(
      <PeopleSettings
        snapshot={{ query: '', people, loading: false, more: false, reset: null }}
        actions={actions}
      />,
    );
    const user = userEvent.setup();
    expect(screen.queryByRole('button', { name: 'Actions for Jonas Lindqvist' })).toBeNull();
    await user.click(screen.getByRole('button', { name: 'Actions for Mira Okafor' }));
    await user.click(screen.getByRole('menuitem', { name: 'Make owner of the site', hidden: true }));
    expect(actions.setRole).toHaveBeenCalledWith('u-mira', 'owner');
  });

  it('say who can sign up', async () => {
    const actions = { rename: vi.fn(() => Promise.resolve()), setRegistration: vi.fn() };
    render(<SiteSettings snapshot={{ name: 'Table', registration: 'invite' }} actions={actions} />);
    const user = userEvent.setup();
    await user.click(screen.getByRole('radio', { name: /^Anybody/u }));
    expect(actions.setRegistration).toHaveBeenCalledWith('open');
    expect(screen.getByRole<HTMLButtonElement>('button', { name: 'Save' }).disabled).toBe(true);
  });

  it('ask the browser only after a press', async () => {
    const ask = vi.fn();
    const quiet = { on: false, from: 0, until: 0 };
    render(
      <NotificationSettings
        snapshot={{ permission: 'default', on: false, quiet }}
        actions={{ ask, setOn: nothing, setQuiet: nothing }}
      />,
    );
    expect(ask).not.toHaveBeenCalled();
    await userEvent.click(screen.getByRole('button', { name: 'Turn on' }));
    expect(ask).toHaveBeenCalledOnce();
  });
});
