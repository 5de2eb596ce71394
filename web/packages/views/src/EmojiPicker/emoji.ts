export interface Emoji {
  emoji: string;
  name: string;
  /** Words and short codes to find it by. */
  words: string[];
  code: string;
  group: number;
}

let loaded: Promise<Emoji[]> | undefined;

/** All emoji of Unicode. A file of their own, fetched when first needed. */
export function loadEmoji(): Promise<Emoji[]> {
  loaded ??= import('./data').then(({ emoji }) => emoji);
  return loaded;
}

/** Best first: what begins with the words, then what has them anywhere. */
export function findEmoji(all: Emoji[], query: string, limit: number): Emoji[] {
  const wanted = query
    .trim()
    .toLowerCase()
    .replace(/[_\s]+/gu, ' ');
  if (!wanted) return all.slice(0, limit);
  const ranked = all
    .map((emoji) => ({ emoji, rank: rankOf(emoji, wanted) }))
    .filter(({ rank }) => rank < 4)
    .sort((one, other) => one.rank - other.rank);
  return ranked.slice(0, limit).map(({ emoji }) => emoji);
}

function rankOf({ name, words, code }: Emoji, wanted: string): number {
  const spoken = code.replace(/_/gu, ' ');
  if (spoken === wanted || words.includes(wanted)) return 0;
  if (spoken.startsWith(wanted) || name.startsWith(wanted)) return 1;
  if (words.some((word) => word.startsWith(wanted))) return 2;
  return name.includes(wanted) ? 3 : 4;
}
