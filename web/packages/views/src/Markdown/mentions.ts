/** A person named in a text: the names are listed beside the text, never guessed from it. */
export interface Mention {
  id: string;
  name: string;
  me: boolean;
}

export type Piece = { type: 'text'; text: string } | { type: 'mention'; text: string; mention: Mention };

/** Finds "@name" of the people who are mentioned. Nobody else's name is ever marked. */
export function splitMentions(text: string, mentions: Mention[]): Piece[] {
  const pieces: Piece[] = [];
  let rest = 0;
  for (let at = text.indexOf('@'); at >= 0; at = text.indexOf('@', at + 1)) {
    const found = longest(text, at + 1, mentions);
    if (!found || at < rest) continue;
    if (at > rest) pieces.push({ type: 'text', text: text.slice(rest, at) });
    rest = at + 1 + found.name.length;
    pieces.push({ type: 'mention', text: text.slice(at, rest), mention: found });
  }
  if (rest < text.length) pieces.push({ type: 'text', text: text.slice(rest) });
  return pieces;
}

function longest(text: string, at: number, mentions: Mention[]): Mention | null {
  let best: Mention | null = null;
  for (const mention of mentions) {
    const written = text.slice(at, at + mention.name.length);
    const after = text[at + mention.name.length] ?? ' ';
    const same = written.toLowerCase() === mention.name.toLowerCase() && !/[\p{L}\p{N}_]/u.test(after);
    if (same && mention.name.length > (best?.name.length ?? 0)) best = mention;
  }
  return best;
}
