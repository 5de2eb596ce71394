/** Characters that could make a name look like another one, or turn the text around it. */
const unsafe = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** A name as it may be shown: no control, format or bidirectional override characters, no runs of spaces. */
export function cleanName(name: string): string {
  return name.replace(unsafe, '').replace(/\s+/gu, ' ').trim();
}

/** Up to two letters that stand for a name in an avatar. */
export function initials(name: string): string {
  const words = cleanName(name)
    .split(/[\s_.\-|[\]]+/u)
    .filter((word) => /[\p{L}\p{N}]/u.test(word));
  const first = /[\p{L}\p{N}]/u.exec(words[0] ?? name)?.[0] ?? '?';
  const second = words.length > 1 ? (/^./u.exec(words.at(-1) ?? '')?.[0] ?? '') : '';
  return (first + second).toLocaleUpperCase();
}

/** One of eight colours, the same for the same id everywhere. */
export function personColour(id: string): number {
  let hash = 0;
  for (const letter of id) hash = (hash * 31 + (letter.codePointAt(0) ?? 0)) >>> 0;
  return hash % 8;
}
