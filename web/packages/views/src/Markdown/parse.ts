import type { Block } from './ast';
import { parseInline } from './inline';

const fence = /^\s{0,3}(```+|~~~+)\s*([\w+#.-]*)\s*$/u;
const bullet = /^(\s{0,3})([-*•]|\d{1,9}[.)])\s+(.*)$/u;
const quoted = /^\s{0,3}>\s?(.*)$/u;
const maxDepth = 4;

/** Parses a message's text. Every text is some document: what is no markup stays what it is. */
export function parseMarkdown(text: string, depth = 0): Block[] {
  const lines = text.replace(/\r\n?/gu, '\n').split('\n');
  const blocks: Block[] = [];
  let at = 0;
  while (at < lines.length) {
    const taken =
      takeFence(lines, at) ??
      (depth < maxDepth ? (takeQuote(lines, at, depth) ?? takeList(lines, at, depth)) : null);
    const { block, next } = taken ?? takeParagraph(lines, at, depth);
    if (block) blocks.push(block);
    at = next;
  }
  return blocks;
}

interface Taken {
  block: Block | null;
  next: number;
}

function takeFence(lines: string[], at: number): Taken | null {
  const open = fence.exec(lines[at] ?? '');
  const sign = open?.[1];
  if (!sign) return null;
  let end = at + 1;
  while (end < lines.length && (lines[end] ?? '').trim() !== sign) end += 1;
  if (end === lines.length && end === at + 1) return null;
  const text = lines.slice(at + 1, end).join('\n');
  return { block: { type: 'code', language: open[2] ?? '', text }, next: end + 1 };
}

function takeQuote(lines: string[], at: number, depth: number): Taken | null {
  const inner: string[] = [];
  let next = at;
  for (let match = quoted.exec(lines[next] ?? ''); match; match = quoted.exec(lines[next] ?? '')) {
    inner.push(match[1] ?? '');
    next += 1;
  }
  if (inner.length === 0) return null;
  return { block: { type: 'quote', children: parseMarkdown(inner.join('\n'), depth + 1) }, next };
}

function takeList(lines: string[], at: number, depth: number): Taken | null {
  const first = bullet.exec(lines[at] ?? '');
  if (!first) return null;
  const ordered = /\d/u.test(first[2] ?? '');
  const items: string[][] = [];
  let next = at;
  for (; next < lines.length; next += 1) {
    const line = lines[next] ?? '';
    const match = bullet.exec(line);
    if (match && /\d/u.test(match[2] ?? '') === ordered) items.push([match[3] ?? '']);
    else if (/^\s{2,}\S/u.test(line)) items.at(-1)?.push(line.replace(/^\s{2,4}/u, ''));
    else break;
  }
  const start = ordered ? Number.parseInt(first[2] ?? '1', 10) : 1;
  const parsed = items.map((item) => parseMarkdown(item.join('\n'), depth + 1));
  return { block: { type: 'list', ordered, start, items: parsed }, next };
}

function takeParagraph(lines: string[], at: number, depth: number): Taken {
  const inner: string[] = [];
  let next = at;
  for (; next < lines.length; next += 1) {
    const line = lines[next] ?? '';
    if (line.trim() === '') break;
    if (next > at && startsBlock(line, depth)) break;
    inner.push(line);
  }
  const children = parseInline(inner.join('\n'));
  return {
    block: inner.length > 0 ? { type: 'paragraph', children } : null,
    next: Math.max(next, at + (inner.length ? 0 : 1)),
  };
}

function startsBlock(line: string, depth: number): boolean {
  return fence.test(line) || (depth < maxDepth && (quoted.test(line) || bullet.test(line)));
}
