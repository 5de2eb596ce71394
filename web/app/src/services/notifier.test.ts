import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { allowed } from './notifier';
import { createPreferences } from './preferences';

const at = (hour: number) => new Date(2026, 4, 14, hour, 30);

describe('allowed', () => {
  beforeEach(() => vi.stubGlobal('Notification', { permission: 'granted' }));
  afterEach(() => vi.unstubAllGlobals());
  const preferences = { ...createPreferences().get(), notifications: 'on' } as const;

  it('keeps silent in the hours one chose, also over midnight', () => {
    const night = { ...preferences, quiet: { on: true, from: 22 * 60, until: 7 * 60 } };
    expect([21, 23, 3, 8].map((hour) => allowed(night, at(hour)))).toEqual([true, false, false, true]);
  });

  it('shows nothing to who did not want it', () => {
    expect(allowed({ ...preferences, notifications: 'unasked' }, at(12))).toBe(false);
  });
});
