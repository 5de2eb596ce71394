import { describe, expect, it } from 'vitest';
import { parseRoute, paths } from './route';

describe('parseRoute', () => {
  it.each([
    ['/', { page: 'home', side: null }],
    ['/c/abc', { page: 'conversation', conversation: 'abc', message: null, side: null }],
    ['/c/abc/m/xyz', { page: 'conversation', conversation: 'abc', message: 'xyz', side: null }],
    [
      '/c/abc?side=members',
      { page: 'conversation', conversation: 'abc', message: null, side: { panel: 'members' } },
    ],
    ['/settings', { page: 'settings', settings: null }],
    ['/settings/sessions', { page: 'settings', settings: 'sessions' }],
    ['/signup?invite=abc', { page: 'signup', invite: 'abc' }],
    ['/signup#invite=abc', { page: 'signup', invite: 'abc' }],
    ['/claim#token=abc', { page: 'claim', token: 'abc' }],
    ['/claim?token=abc', { page: 'claim', token: null }],
    ['/reset#abc', { page: 'reset', token: 'abc' }],
    ['/c/%E0%A4%A', { page: 'conversation', conversation: '%E0%A4%A', message: null, side: null }],
    ['/elsewhere', { page: 'unknown' }],
  ])('%s', (address, route) => {
    expect(parseRoute(address)).toEqual(route);
  });

  it('reads what it writes', () => {
    const side = { panel: 'person', user: 'u1' } as const;
    expect(parseRoute(paths.conversation('c1', side))).toEqual({
      page: 'conversation',
      conversation: 'c1',
      message: null,
      side,
    });
  });
});
