import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { uuidSource } from './uuid';

describe('a UUIDv7', () => {
  it('has the form, the version and the time', () => {
    const next = uuidSource({ now: () => 0x0123456789ab, randomBytes });
    expect(next()).toMatch(/^01234567-89ab-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it('ascends strictly, also when the clock stands still or goes back', () => {
    let now = 5_000_000;
    const next = uuidSource({ now: () => now, randomBytes: (count) => new Uint8Array(count).fill(0xff) });
    const ids: string[] = [];
    for (let index = 0; index < 3000; index += 1) {
      if (index % 1000 === 500) now -= 3;
      if (index % 1000 === 900) now += 1;
      ids.push(next());
    }
    expect(ids.toSorted()).toEqual(ids);
    expect(new Set(ids).size).toBe(3000);
  });
});
