/** A person named in a text: the names are listed beside the text, never guessed from it. */
export interface Mention {
  id: string;
  name: string;
  me: boolean;
}

/** A channel one is in, and where it is. */
export interface ChannelLink {
  name: string;
  href: string;
}

export type Piece =
  | { type: 'text'; text: string }
  | { type: 'mention'; text: string; mention: Mention }
  | { type: 'channel'; text: string; href: string };

/** Finds "@name" of the people who are mentioned and "#name" of the channels. No other name is ever marked. */
export function splitNames(text: string, mentions: Mention[], channels: ChannelLink[]): Piece[] {
  const pieces: Piece[] = [];
  let rest = 0;
  for (const { index: at } of text.matchAll(/[@#]/gu)) {
    const found = at < rest ? null : nameAt(text, at, mentions, channels);
    if (!found) continue;
    if (at > rest) pieces.push({ type: 'text', text: text.slice(rest, at) });
    rest = at + found.text.length;
    pieces.push(found);
  }
  if (rest < text.length) pieces.push({ type: 'text', text: text.slice(rest) });
  return pieces;
}

function nameAt(text: string, at: number, mentions: Mention[], channels: ChannelLink[]): Piece | null {
  if (text[at] === '@') {
    const mention = longest(text, at + 1, mentions);
    return mention && { type: 'mention', text: text.slice(at, at + 1 + mention.name.length), mention };
  }
  if (/[\p{L}\p{N}_#&/]/u.test(text[at - 1] ?? ' ')) return null;
  const channel = longest(text, at + 1, channels);
  return (
    channel && { type: 'channel', text: text.slice(at, at + 1 + channel.name.length), href: channel.href }
  );
}

function longest<T extends { name: string }>(text: string, at: number, named: T[]): T | null {
  let best: T | null = null;
  for (const one of named) {
    const written = text.slice(at, at + one.name.length);
    const after = text[at + one.name.length] ?? ' ';
    const same = written.toLowerCase() === one.name.toLowerCase() && !/[\p{L}\p{N}_]/u.test(after);
    if (same && one.name.length > (best?.name.length ?? 0)) best = one;
  }
  return best;
}
