import { describe, expect, it } from 'vitest';
import { rankFuzzy } from './fuzzy';

describe('rankFuzzy', () => {
  const names = ['general', 'engineering', 'Zieliński', 'random', 'gen-alumni'];
  it.each([
    ['gen', 'general'],
    ['zielin', 'Zieliński'],
    ['ga', 'gen-alumni'],
    ['rnd', 'random'],
  ])('%s finds %s', (query, name) => {
    expect(rankFuzzy(query, names, (text) => text)[0]).toBe(name);
  });

  it('leaves out what does not fit', () => {
    expect(rankFuzzy('xyz', names, (text) => text)).toEqual([]);
  });
});
