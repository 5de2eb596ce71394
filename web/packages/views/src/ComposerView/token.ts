import type { CompletionKind } from './composer';

export interface Token {
  kind: CompletionKind;
  query: string;
  start: number;
  end: number;
}

const kinds: Record<string, CompletionKind> = { '@': 'person', '#': 'channel', ':': 'emoji' };

/** The half-written name before the caret, if there is one: "@an", "#ub", ":smi". */
export function tokenAt(text: string, caret: number): Token | null {
  const match = /(?:^|[\s([{"'])([@#:])([\p{L}\p{N}_+\-.]{0,40})$/u.exec(
    text.slice(Math.max(0, caret - 60), caret),
  );
  const sign = match?.[1];
  const query = match?.[2] ?? '';
  const kind = sign ? kinds[sign] : undefined;
  if (!kind || (kind === 'emoji' && query.length < 2)) return null;
  return { kind, query, start: caret - query.length - 1, end: caret };
}
