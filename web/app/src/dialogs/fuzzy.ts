/** How well letters in order fit a text: beginnings of words and runs count most. Null where they do not fit. */
export function fuzzyScore(query: string, text: string): number | null {
  const wanted = fold(query).replace(/\s+/gu, '');
  const given = fold(text);
  let score = 0;
  let at = -1;
  for (const letter of wanted) {
    const next = given.indexOf(letter, at + 1);
    if (next < 0) return null;
    const starts = next === 0 || /[^\p{L}\p{N}]/u.test(given[next - 1] ?? ' ');
    score += next === at + 1 ? 5 : starts ? 4 : -Math.min(3, next - at - 1);
    at = next;
  }
  return score - given.length / 100;
}

/** Best first; what fits equally well stays in its order. */
export function rankFuzzy<T>(query: string, items: T[], textOf: (item: T) => string): T[] {
  return items
    .flatMap((item) => {
      const score = fuzzyScore(query, textOf(item));
      return score === null ? [] : [{ item, score }];
    })
    .sort((one, other) => other.score - one.score)
    .map(({ item }) => item);
}

function fold(text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
}
