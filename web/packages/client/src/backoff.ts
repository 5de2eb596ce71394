// Waiting between tries: min(30 s, 0.5 s × 2^attempt), times a random factor between 0.5 and 1.
import type { Millis } from './protocol/ids';

const firstMs = 500;
const longestMs = 30_000;

export function backoff(attempt: number, random: () => number): Millis {
  return Math.min(longestMs, firstMs * 2 ** attempt) * (0.5 + random() / 2);
}
