import { render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { describe, expect, it, vi } from 'vitest';
import { SignInView } from './SignInView';
import { SignUpView } from './SignUpView';

describe('SignInView', () => {
  it('ties an error to its field, and asks for what is missing', async () => {
    const signIn = vi.fn();
    const snapshot = { site: 'Here', canSignUp: false, busy: false, problem: null, note: null };
    render(<SignInView snapshot={snapshot} actions={{ signIn }} />);
    await userEvent.click(screen.getByRole('button', { name: 'Sign in' }));
    const name = screen.getByRole('textbox', { name: 'Name' });
    expect(name.getAttribute('aria-invalid')).toBe('true');
    const error = document.getElementById(name.getAttribute('aria-describedby') ?? '');
    expect(error?.textContent).toBe('Write your name');
    await userEvent.type(name, 'mira');
    await userEvent.type(screen.getByLabelText('Password'), 'secret words{Enter}');
    expect(signIn).toHaveBeenCalledExactlyOnceWith('mira', 'secret words');
  });
});

describe('SignUpView', () => {
  it('has no form where nobody can sign up', () => {
    const snapshot = {
      site: 'Here',
      kind: 'needs-invite',
      leastPassword: 8,
      busy: false,
      problem: null,
    } as const;
    render(<SignUpView snapshot={snapshot} actions={{ signUp: vi.fn() }} />);
    expect(screen.queryByRole('textbox')).toBeNull();
  });
});
