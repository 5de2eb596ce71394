import type { User } from '@klatch/client';

const handle = /(?:^|[^\p{L}\p{N}_])@([\p{L}\p{N}_.-]+)/gu;

/** The people whose @name stands in a text. */
export function mentionsIn(text: string, people: Iterable<User>): string[] {
  const byName = new Map<string, string>();
  for (const user of people) byName.set(user.name.toLowerCase(), user.id);
  const found = new Set<string>();
  for (const match of text.matchAll(handle)) {
    const written = (match[1] ?? '').toLowerCase();
    const id = byName.get(written) ?? byName.get(written.replace(/[.-]+$/u, ''));
    if (id) found.add(id);
  }
  return [...found];
}

/** `/me` and what else begins with a slash. */
export function outgoing(written: string): { text: string; emote: boolean } {
  const text = written.trim();
  const emote = /^\/me\s+(.+)$/su.exec(text)?.[1];
  if (emote !== undefined) return { text: emote, emote: true };
  return { text: text.startsWith('//') ? text.slice(1) : text, emote: false };
}
