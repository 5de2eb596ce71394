import { describe, expect, it } from 'vitest';
import { keysHere, spokenKeys } from './keys';

describe('keys', () => {
  it('are named as the keyboard names them', () => {
    expect(keysHere('Ctrl+K', false)).toBe('Ctrl+K');
    expect(keysHere('Ctrl+K', true)).toBe('⌘K');
    expect(keysHere('Alt+Shift+↓', true)).toBe('⌥⇧↓');
    expect(keysHere('+', true)).toBe('+');
  });

  it('are told to assistive technology in its own words', () => {
    expect(spokenKeys('Ctrl+K', false)).toBe('Control+K');
    expect(spokenKeys('Ctrl+K', true)).toBe('Meta+K');
  });
});
