import { describe, expect, it, vi } from 'vitest';
import { safeHref, saysWhere } from './links';
import { splitNames } from './mentions';
import { parseMarkdown } from './parse';
import type { Block, Inline } from './ast';

function show(nodes: Inline[]): string {
  return nodes
    .map((node) => {
      if (node.type === 'text') return node.text;
      if (node.type === 'break') return '⏎';
      if (node.type === 'code') return `code(${node.text})`;
      if (node.type === 'link') return `link(${node.href}|${show(node.children)})`;
      return `${node.type}(${show(node.children)})`;
    })
    .join('');
}

function outline(blocks: Block[]): string {
  return blocks
    .map((block) => {
      if (block.type === 'paragraph') return `p:${show(block.children)}`;
      if (block.type === 'quote') return `quote[${outline(block.children)}]`;
      if (block.type === 'code') return `pre(${block.language}|${block.text})`;
      return `${block.ordered ? `ol${block.start}` : 'ul'}[${block.items.map(outline).join(';')}]`;
    })
    .join(' ');
}

/** How many letters are searched while this is parsed: that depends on the text alone, as time does not. */
function effort(text: string): number {
  const searches = vi.spyOn(String.prototype, 'indexOf');
  const matches = vi.spyOn(RegExp.prototype, 'exec');
  const splits = vi.spyOn(String.prototype, 'split');
  parseMarkdown(text);
  vi.restoreAllMocks();
  let letters = 0;
  searches.mock.contexts.forEach((searched, call) => {
    const [from = 0, found] = [searches.mock.calls[call]?.[1], searches.mock.results[call]?.value as number];
    letters += (found < 0 ? String(searched).length : found) - from + 1;
  });
  matches.mock.calls.forEach(([searched], call) => {
    const found = matches.mock.results[call]?.value as RegExpExecArray | null;
    letters += found ? found.index + found[0].length : searched.length;
  });
  splits.mock.contexts.forEach((split) => (letters += String(split).length));
  return letters;
}

/** How many times the effort grows for eight times the letters. */
function growth(text: (length: number) => string): number {
  const [short = 0, long = Infinity] = [2048, 16_384].map((length) => effort(text(length)));
  return long / short;
}

describe('parseMarkdown', () => {
  it.each([
    ['plain words', 'p:plain words'],
    ['**bold** and *it* and ~~no~~', 'p:strong(bold) and emphasis(it) and strike(no)'],
    ['**bold *inside* it**', 'p:strong(bold emphasis(inside) it)'],
    ['snake_case_name and 2*3*4 = 24', 'p:snake_case_name and 2*3*4 = 24'],
    ['an * alone and ** two', 'p:an * alone and ** two'],
    ['`code *x*` ok', 'p:code(code *x*) ok'],
    ['``a ` b``', 'p:code(a ` b)'],
    ['one\ntwo', 'p:one⏎two'],
    ['one\n\ntwo', 'p:one p:two'],
    ['\\*not\\*', 'p:*not*'],
    ['> quoted\n> more\nanswer', 'quote[p:quoted⏎more] p:answer'],
    ['- a\n- b', 'ul[p:a;p:b]'],
    ['3. a\n4. b', 'ol3[p:a;p:b]'],
    ['```rust\nfn main() {}\n```', 'pre(rust|fn main() {})'],
    ['```', 'p:```'],
    ['```\nnever closed', 'pre(|never closed)'],
    ['see https://example.org/a_b_c.', 'p:see link(https://example.org/a_b_c|https://example.org/a_b_c).'],
    [
      '(https://en.wikipedia.org/wiki/Rust_(language))',
      'p:(link(https://en.wikipedia.org/wiki/Rust_(language)|https://en.wikipedia.org/wiki/Rust_(language)))',
    ],
    ['[here](https://example.org)', 'p:link(https://example.org/|here)'],
    ['[x](javascript:alert(1))', 'p:[x](javascript:alert(1))'],
    ['<b>html</b>', 'p:<b>html</b>'],
  ])('%j', (text, expected) => {
    expect(outline(parseMarkdown(text))).toBe(expected);
  });

  it.each(['*', '**a', '_', '[', '`', '> ', '[](', '*a **b ', '- ', 'https://(', '~~*__'])(
    'takes effort in proportion to what is written, whatever it is: %j',
    (part) => {
      expect(growth((length) => part.repeat(length / part.length))).toBeLessThan(12);
    },
  );

  it.each(['.', ')', '(', '_'])('takes no more for an address that ends in many of %j', (last) => {
    expect(growth((length) => `https://example.org/${last.repeat(length)}`)).toBeLessThan(12);
  });
});

describe('links', () => {
  it('go only to harmless schemes', () => {
    expect(safeHref('javascript:alert(1)')).toBeNull();
    expect(safeHref('data:text/html,x')).toBeNull();
    expect(safeHref('https://example.org')).toBe('https://example.org/');
  });

  it('know when their words promise another place', () => {
    expect(saysWhere('bank.example', 'https://evil.example/')).toBe(false);
    expect(saysWhere('https://evil.example/login', 'https://evil.example/')).toBe(true);
    expect(saysWhere('click here', 'https://evil.example/')).toBe(false);
  });
});

describe('splitNames', () => {
  const ann = { id: '1', name: 'ann', me: false };
  const anna = { id: '2', name: 'anna', me: true };

  it('marks only the people listed, the longest name first', () => {
    const pieces = splitNames('@anna and @ann, not @annabel nor @bob', [ann, anna], []);
    expect(pieces.filter((piece) => piece.type === 'mention').map((piece) => piece.text)).toEqual([
      '@anna',
      '@ann',
    ]);
  });

  it('links the channels one knows, where their names stand by themselves', () => {
    const channels = [
      { name: 'general', href: '/c/1' },
      { name: 'general help', href: '/c/2' },
    ];
    const pieces = splitNames('#General, #general help; not a#general, /#general or #generals', [], channels);
    expect(pieces.filter((piece) => piece.type === 'channel')).toEqual([
      { type: 'channel', text: '#General', href: '/c/1' },
      { type: 'channel', text: '#general help', href: '/c/2' },
    ]);
  });
});
