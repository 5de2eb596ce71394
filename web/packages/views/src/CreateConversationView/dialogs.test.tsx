import { render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { describe, expect, it, vi } from 'vitest';
import { BrowseChannelsView } from '../BrowseChannelsView/BrowseChannelsView';
import { PeoplePicker } from '../PeoplePicker/PeoplePicker';
import { SureView } from '../SureView/SureView';
import { aiko, jonas, mira, nothing } from '../testing/fixtures';
import { CreateConversationView } from './CreateConversationView';

const nobody = {
  found: [],
  chosen: [],
  loading: false,
  query: '',
  onSearch: nothing,
  onChoose: nothing,
  onUnchoose: nothing,
};

describe('dialogs', () => {
  it('make nothing without a name, and say so at the field', async () => {
    const onCreate = vi.fn();
    render(
      <CreateConversationView
        kind="channel"
        busy={false}
        people={nobody}
        onCreate={onCreate}
        onClose={nothing}
      />,
    );
    const user = userEvent.setup();
    await user.click(screen.getByRole('button', { name: 'Create' }));
    const name = screen.getByRole('textbox', { name: 'Name' });
    expect(name.getAttribute('aria-invalid')).toBe('true');
    expect(screen.getByRole('alert').textContent).toBe('Give it a name');
    await user.type(name, '  bees ');
    await user.type(screen.getByRole('textbox', { name: 'What it is about' }), 'Honey');
    await user.click(screen.getByRole('button', { name: 'Create' }));
    expect(onCreate).toHaveBeenCalledExactlyOnceWith({ name: 'bees', topic: 'Honey' });
  });

  it('open what one is in, and join the rest', async () => {
    const actions = {
      search: vi.fn(),
      more: vi.fn(),
      join: vi.fn(),
      open: vi.fn(),
      create: vi.fn(),
      close: vi.fn(),
    };
    const channel = (id: string, joined: boolean) => ({ id, name: id, topic: '', members: 2, joined });
    const channels = [channel('bees', true), channel('pies', false)];
    render(
      <BrowseChannelsView snapshot={{ query: '', channels, loading: false, more: true }} actions={actions} />,
    );
    const user = userEvent.setup();
    await user.click(screen.getByRole('button', { name: 'Open bees' }));
    await user.click(screen.getByRole('button', { name: 'Join pies' }));
    await user.click(screen.getByRole('button', { name: 'Show more' }));
    expect([actions.open, actions.join].map((action) => action.mock.calls)).toEqual([[['bees']], [['pies']]]);
    expect(actions.more).toHaveBeenCalledOnce();
  });

  it('find people by arrows and Enter, and take the last one back by Backspace', async () => {
    const [onChoose, onUnchoose] = [vi.fn(), vi.fn()];
    render(
      <PeoplePicker
        {...nobody}
        label="People"
        found={[mira, jonas]}
        chosen={[aiko]}
        onChoose={onChoose}
        onUnchoose={onUnchoose}
      />,
    );
    const user = userEvent.setup();
    await user.click(screen.getByRole('combobox', { name: 'People' }));
    await user.keyboard('{ArrowDown}{ArrowDown}');
    expect(screen.getByRole('option', { selected: true }).textContent).toContain('Jonas');
    await user.keyboard('{Enter}{Backspace}');
    expect(onChoose).toHaveBeenCalledWith(jonas);
    expect(onUnchoose).toHaveBeenCalledWith(aiko.id);
  });

  it('ask once more, with the way back at hand', async () => {
    const [onYes, onClose] = [vi.fn(), vi.fn()];
    render(
      <SureView title="Leave garden?" text="Really" action="Leave" danger onYes={onYes} onClose={onClose} />,
    );
    expect(screen.getByRole('dialog', { name: 'Leave garden?' })).toBeTruthy();
    const user = userEvent.setup();
    await user.click(screen.getByRole('button', { name: 'Cancel' }));
    await user.click(screen.getByRole('button', { name: 'Leave' }));
    expect([onClose.mock.calls.length, onYes.mock.calls.length]).toEqual([1, 1]);
  });
});
