// UUIDv7: sortable by the time of making, and within one generator strictly ascending even in the same millisecond.
import type { Platform } from './platform/platform';

export type UuidSource = () => string;

/** `rand_a` and the top of `rand_b` count within a millisecond: 26 bits, begun low enough never to overflow in practice. */
const counterMax = 2 ** 26;

export function uuidSource(platform: Pick<Platform, 'now' | 'randomBytes'>): UuidSource {
  let lastMs = 0;
  let counter = 0;
  return () => {
    const random = platform.randomBytes(10);
    const now = platform.now();
    if (now > lastMs) {
      lastMs = now;
      counter = (byte(random, 0) << 16) | (byte(random, 1) << 8) | byte(random, 2);
    } else {
      counter += 1;
      // The clock stands still or went back: time of our own goes on.
      if (counter >= counterMax) {
        lastMs += 1;
        counter = 0;
      }
    }
    return format(lastMs, counter, random.subarray(3));
  };
}

function format(ms: number, counter: number, random: Uint8Array): string {
  const time = ms.toString(16).padStart(12, '0');
  const high = ((counter >>> 14) & 0xfff).toString(16).padStart(3, '0');
  const low = (0x8000 | (counter & 0x3fff)).toString(16);
  const rest = [...random.subarray(0, 6)].map((value) => value.toString(16).padStart(2, '0')).join('');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${high}-${low}-${rest}`;
}

function byte(bytes: Uint8Array, index: number): number {
  return bytes[index] ?? 0;
}
