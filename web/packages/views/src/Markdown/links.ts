const allowed = new Set(['http:', 'https:', 'mailto:']);

/** The address a link may go to, or nothing where its scheme is not a harmless one. */
export function safeHref(written: string): string | null {
  if (!URL.canParse(written)) return null;
  const url = new URL(written);
  return allowed.has(url.protocol) ? url.href : null;
}

/** Where a link goes, in a few letters: its host. */
export function destination(href: string): string {
  const url = new URL(href);
  return url.host || url.pathname;
}

/** Whether the words of a link already say where it goes. */
export function saysWhere(label: string, href: string): boolean {
  const words = label.trim().toLowerCase();
  const host = destination(href).toLowerCase();
  if (words === href.toLowerCase() || words === host) return true;
  const claimed = /^(?:[a-z]+:\/\/)?([^/\s?#]+)/u.exec(words)?.[1];
  return claimed === host;
}

const address = /https?:\/\/[^\s<>"`]+/giu;

/** The next bare address from `from` on; what only ends the sentence around it does not belong to it. */
export function findAddress(text: string, from: number): { start: number; end: number; href: string } | null {
  address.lastIndex = from;
  for (let match = address.exec(text); match; match = address.exec(text)) {
    const trimmed = trimEnd(match[0]);
    const href = safeHref(trimmed);
    if (href) return { start: match.index, end: match.index + trimmed.length, href };
  }
  return null;
}

function trimEnd(found: string): string {
  let end = found.length;
  let unopened = found.split(')').length - found.split('(').length;
  for (; end > 0; end -= 1) {
    const last = found[end - 1] ?? '';
    if (last === ')' && unopened > 0) unopened -= 1;
    else if (!".,;:!?'*_~".includes(last)) break;
  }
  return found.slice(0, end);
}
