export interface Selected {
  text: string;
  start: number;
  end: number;
}

export type Format = 'bold' | 'italic' | 'strike' | 'code' | 'codeBlock' | 'quote' | 'bullets';

const around: Partial<Record<Format, [string, string]>> = {
  bold: ['**', '**'],
  italic: ['_', '_'],
  strike: ['~~', '~~'],
  code: ['`', '`'],
  codeBlock: ['```\n', '\n```'],
};

/** Formats what is selected; takes the format away where it is there already. */
export function applyFormat(format: Format, selected: Selected): Selected {
  const signs = around[format];
  return signs ? wrap(selected, signs) : prefix(selected, format === 'quote' ? '> ' : '- ');
}

function wrap({ text, start, end }: Selected, [open, close]: [string, string]): Selected {
  const before = text.slice(0, start);
  const inside = text.slice(start, end);
  const after = text.slice(end);
  if (before.endsWith(open) && after.startsWith(close)) {
    const from = start - open.length;
    return {
      text: before.slice(0, from) + inside + after.slice(close.length),
      start: from,
      end: from + inside.length,
    };
  }
  const from = start + open.length;
  return { text: before + open + inside + close + after, start: from, end: from + inside.length };
}

function prefix({ text, start, end }: Selected, sign: string): Selected {
  const from = text.lastIndexOf('\n', start - 1) + 1;
  const lines = text.slice(from, end).split('\n');
  const had = lines.every((line) => line.startsWith(sign));
  const changed = lines.map((line) => (had ? line.slice(sign.length) : sign + line)).join('\n');
  return { text: text.slice(0, from) + changed + text.slice(end), start: from, end: from + changed.length };
}

const encoder = new TextEncoder();

/** Bytes left of a limit; counted exactly only when it may matter. */
export function bytesLeft(text: string, limit: number): number {
  if (text.length * 3 < limit) return limit - text.length;
  return limit - encoder.encode(text).length;
}
