import compact from 'emojibase-data/en/compact.json';
import codes from 'emojibase-data/en/shortcodes/github.json';
import type { Emoji } from './emoji';

const codeOf: Record<string, string | string[]> = codes;

export const emoji: Emoji[] = compact
  .filter((entry) => entry.group !== undefined && entry.group !== 2)
  .map((entry) => {
    const known = [codeOf[entry.hexcode] ?? []].flat();
    return {
      emoji: entry.unicode,
      name: entry.label,
      words: [...known.map((code) => code.replace(/_/gu, ' ')), ...(entry.tags ?? [])],
      code: known[0] ?? entry.label.replace(/[^a-z0-9]+/giu, '_').toLowerCase(),
      group: entry.group ?? 0,
    };
  });
