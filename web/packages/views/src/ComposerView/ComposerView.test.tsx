import { render, screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { describe, expect, it, vi } from 'vitest';
import type { ComposerActions, ComposerSnapshot } from './composer';
import { ComposerView } from './ComposerView';

function setUp(change: Partial<ComposerSnapshot> = {}) {
  const snapshot: ComposerSnapshot = {
    key: 'c/0',
    conversation: 'c',
    name: 'general',
    text: '',
    mode: { type: 'new' },
    enterSends: true,
    limit: 100,
    recentEmoji: [],
    closed: null,
    ...change,
  };
  const actions = {
    changed: vi.fn<ComposerActions['changed']>(),
    send: vi.fn<ComposerActions['send']>(),
    leave: vi.fn<ComposerActions['leave']>(() => true),
    editLast: vi.fn<ComposerActions['editLast']>(),
    complete: vi.fn<ComposerActions['complete']>(() =>
      Promise.resolve([
        { id: '1', label: 'Aiko Tanaka', detail: '@aiko', insert: '@aiko', person: '1' },
        { id: '2', label: 'Anna', detail: '@anna', insert: '@anna', person: '2' },
      ]),
    ),
    emojiUsed: vi.fn<ComposerActions['emojiUsed']>(),
  };
  render(<ComposerView snapshot={snapshot} actions={actions} />);
  return { actions, area: screen.getByRole<HTMLTextAreaElement>('textbox'), user: userEvent.setup() };
}

describe('ComposerView', () => {
  it('sends by Enter and breaks the line by Shift+Enter', async () => {
    const { actions, area, user } = setUp();
    await user.type(area, 'one{Shift>}{Enter}{/Shift}two{Enter}');
    expect(actions.send).toHaveBeenCalledExactlyOnceWith('one\ntwo');
    expect(area.value).toBe('');
  });

  it('turns that round where one wants it', async () => {
    const { actions, area, user } = setUp({ enterSends: false });
    await user.type(area, 'one{Enter}two{Control>}{Enter}{/Control}');
    expect(actions.send).toHaveBeenCalledExactlyOnceWith('one\ntwo');
  });

  it('completes a person by the arrow keys, and does not send meanwhile', async () => {
    const { actions, area, user } = setUp();
    await user.type(area, 'hi @a');
    await screen.findByRole('listbox');
    expect(area.getAttribute('aria-activedescendant')).toBe(screen.getAllByRole('option')[0]?.id);
    await user.keyboard('{ArrowDown}{Enter}');
    expect(area.value).toBe('hi @anna ');
    expect(actions.send).not.toHaveBeenCalled();
  });

  it('sends at once what is written out already', async () => {
    const { actions, area, user } = setUp();
    await user.type(area, 'hi @aiko');
    await screen.findByRole('listbox');
    await user.keyboard('{Enter}');
    expect(actions.send).toHaveBeenCalledExactlyOnceWith('hi @aiko');
  });

  it('picks nothing that was offered for less than what is written', async () => {
    const { actions, area, user } = setUp();
    await user.type(area, '@');
    await screen.findByRole('listbox');
    actions.complete.mockReturnValue(new Promise(() => undefined));
    await user.type(area, 'nn{Enter}');
    expect(area.value).toBe('@anna ');
  });

  it('lets Escape close the suggestions first, and the reply after', async () => {
    const { actions, area, user } = setUp({ mode: { type: 'reply', to: 'Aiko', excerpt: '' } });
    await user.type(area, '@a');
    await screen.findByRole('listbox');
    await user.keyboard('{Escape}');
    expect(screen.queryByRole('listbox')).toBeNull();
    expect(actions.leave).not.toHaveBeenCalled();
    await user.keyboard('{Escape}');
    expect(actions.leave).toHaveBeenCalledOnce();
  });

  it('edits the last message by ArrowUp, only where nothing is written', async () => {
    const { actions, area, user } = setUp();
    await user.type(area, 'x{ArrowUp}{Backspace}{ArrowUp}');
    expect(actions.editLast).toHaveBeenCalledOnce();
  });

  it('says near the limit how much is left, and does not send beyond it', async () => {
    const { actions, area, user } = setUp({ text: 'x'.repeat(95) });
    expect(screen.getByText('5 characters left')).toBeTruthy();
    await user.type(area, 'yyyyyyyy{Enter}');
    expect(screen.getByText('3 characters too long')).toBeTruthy();
    expect(actions.send).not.toHaveBeenCalled();
    expect(area.value).toHaveLength(103);
  });

  it('formats what is selected, and takes the format away again', async () => {
    const { area, user } = setUp({ text: 'a bold b' });
    area.setSelectionRange(2, 6);
    await user.click(screen.getByRole('button', { name: 'Bold' }));
    await waitFor(() => expect(area.value).toBe('a **bold** b'));
    expect([area.selectionStart, area.selectionEnd]).toEqual([4, 8]);
    await user.keyboard('{Control>}b{/Control}');
    expect(area.value).toBe('a bold b');
  });

  it('offers a block of code for a long paste', async () => {
    const { area, user } = setUp({ limit: 10_000 });
    await user.click(area);
    await user.paste('line of a log\n'.repeat(60));
    await user.click(screen.getByRole('button', { name: 'Make it code' }));
    expect(area.value.startsWith('```\nline')).toBe(true);
  });

  it('shows how it will look', async () => {
    const { user } = setUp({ text: 'so **bold**' });
    await user.click(screen.getByRole('button', { name: 'Preview' }));
    expect(screen.getByText('bold').tagName).toBe('STRONG');
  });
});
