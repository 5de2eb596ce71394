import { describe, expect, it } from 'vitest';
import { cleanName, initials } from './names';

describe('names', () => {
  it('lose what could turn or hide the text around them', () => {
    expect(cleanName('a\u202Eb\u200Bc\u0007 d\n\ne')).toBe('abc de');
    expect(cleanName('  Ada   Lovelace ')).toBe('Ada Lovelace');
  });

  it.each([
    ['Mira Okafor', 'MO'],
    ['crimsun', 'C'],
    ['[nick]_away', 'NA'],
    ['李 小龍', '李小'],
    ['…', '?'],
  ])('%s is %s', (name, letters) => {
    expect(initials(name)).toBe(letters);
  });
});
