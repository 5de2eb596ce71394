import type { Inline } from './ast';
import { findAddress, safeHref } from './links';

const maxDepth = 6;
const marks = [
  { sign: '**', type: 'strong' },
  { sign: '__', type: 'strong' },
  { sign: '~~', type: 'strike' },
  { sign: '*', type: 'emphasis' },
  { sign: '_', type: 'emphasis' },
] as const;

/** Parses the inside of a paragraph. Always ends, in time linear in the text and its depth; never refuses. */
export function parseInline(text: string, depth = 0): Inline[] {
  return new InlineParser(text, depth).run();
}

class InlineParser {
  private readonly out: Inline[] = [];
  private plain = '';
  private at = 0;
  /** Signs that are known not to come again: each is looked for at most once in vain. */
  private readonly missing = new Set<string>();
  private address: ReturnType<typeof findAddress>;

  constructor(
    private readonly text: string,
    private readonly depth: number,
  ) {
    this.address = findAddress(text, 0);
  }

  run(): Inline[] {
    while (this.at < this.text.length) {
      if (!this.special()) {
        this.plain += this.text[this.at] ?? '';
        this.at += 1;
      }
    }
    this.flush();
    return this.out;
  }

  private special(): boolean {
    if (this.address?.start === this.at) return this.bareLink(this.address);
    switch (this.text[this.at]) {
      case '\n':
        this.push({ type: 'break' }, this.at + 1);
        return true;
      case '\\':
        return this.escape();
      case '`':
        return this.code();
      case '[':
        return this.link();
      case '*':
      case '_':
      case '~':
        return this.mark();
      default:
        return false;
    }
  }

  private push(node: Inline, next: number): void {
    this.flush();
    this.out.push(node);
    this.at = next;
    if (this.address && this.address.start < next) this.address = findAddress(this.text, next);
  }

  private flush(): void {
    if (this.plain) this.out.push({ type: 'text', text: this.plain });
    this.plain = '';
  }

  private find(sign: string, from: number): number {
    if (this.missing.has(sign)) return -1;
    const found = this.text.indexOf(sign, from);
    if (found < 0) this.missing.add(sign);
    return found;
  }

  private escape(): boolean {
    const next = this.text[this.at + 1];
    if (next === undefined || !'\\`*_~[]()>#-.!'.includes(next)) return false;
    this.plain += next;
    this.at += 2;
    return true;
  }

  private code(): boolean {
    const run = /^`+/u.exec(this.text.slice(this.at, this.at + 8))?.[0] ?? '`';
    const start = this.at + run.length;
    const end = this.find(run, start);
    if (end <= start) return false;
    this.push({ type: 'code', text: this.text.slice(start, end) }, end + run.length);
    return true;
  }

  private bareLink({ end, href }: NonNullable<typeof this.address>): boolean {
    const shown = this.text.slice(this.at, end);
    this.push({ type: 'link', href, bare: true, children: [{ type: 'text', text: shown }] }, end);
    return true;
  }

  private link(): boolean {
    const middle = this.depth < maxDepth ? this.find('](', this.at) : -1;
    const end = middle > this.at + 1 ? this.find(')', middle) : -1;
    const label = this.text.slice(this.at + 1, middle);
    if (end < 0 || label.includes('\n')) return false;
    const href = safeHref(this.text.slice(middle + 2, end).trim());
    if (!href) return false;
    const children = parseInline(label, maxDepth).filter((node) => node.type !== 'link');
    this.push({ type: 'link', href, bare: false, children }, end + 1);
    return true;
  }

  private mark(): boolean {
    const mark = marks.find(({ sign }) => this.text.startsWith(sign, this.at));
    if (!mark || this.depth >= maxDepth) return false;
    const start = this.at + mark.sign.length;
    const before = this.text[this.at - 1] ?? ' ';
    if (/\s/u.test(this.text[start] ?? ' ')) return false;
    if (mark.sign !== '**' && mark.sign !== '~~' && /[\p{L}\p{N}_]/u.test(before)) return false;
    const end = this.closing(mark.sign, start);
    if (end < 0) return false;
    const children = parseInline(this.text.slice(start, end), this.depth + 1);
    this.push({ type: mark.type, children }, end + mark.sign.length);
    return true;
  }

  private closing(sign: string, start: number): number {
    for (let tries = 0, from = start + 1; tries < 16; tries += 1) {
      const end = this.find(sign, from);
      if (end < 0) return -1;
      if (this.closes(sign, end)) return end;
      from = end + sign.length;
    }
    return -1;
  }

  private closes(sign: string, end: number): boolean {
    const before = this.text[end - 1] ?? ' ';
    const after = this.text[end + sign.length] ?? ' ';
    if (/\s/u.test(before)) return false;
    if (sign.length === 1 && (after === sign || before === sign)) return false;
    return sign === '**' || sign === '~~' || !/[\p{L}\p{N}_]/u.test(after);
  }
}
