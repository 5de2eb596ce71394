// What comes from a newer server is taken as far as it is understood.
import { describe, expect, it } from 'vitest';
import { closeAdvice } from './close';
import { decodeEvent, decodeFrame, decodeHistory } from './decode';

const base = { seq: 1, id: 'i', author: 'a', at: 5, worthy: 1 };

describe('decoding', () => {
  it.each(['', 'null', '[]', '{}', '{"type":1}', '{"type":"from_tomorrow"}', 'not json'])(
    'ignores %j',
    (text) => {
      expect(decodeFrame(text)).toBeNull();
    },
  );

  it('keeps unknown kinds and bodies as unsupported, in their place', () => {
    expect(decodeEvent({ ...base, kind: 'poll_closed', winner: 3 })).toEqual({
      ...base,
      kind: 'unsupported',
    });
    const body = { type: 'hologram', bytes: 'x' };
    expect(decodeEvent({ ...base, kind: 'sent', body })).toMatchObject({
      body: { type: 'unsupported' },
      mentions: [],
      replies: [],
    });
  });

  it('takes absent lists as empty', () => {
    expect(decodeFrame('{"type":"conversations"}')).toMatchObject({ items: [], gone: [], next: null });
    expect(decodeFrame('{"type":"events","conversation":"c"}')).toMatchObject({ events: [] });
    expect(decodeHistory({ head: 3 })).toEqual({ events: [], overlay: {}, head: 3, first: 1 });
  });
});

describe('a close code', () => {
  it.each([
    [1006, 'resume'],
    [4001, 'resume'],
    [4100, 'afresh'],
    [4150, 'afresh'],
    [4200, 'signed-out'],
    [4203, 'abuse'],
    [4250, 'version_unsupported'],
  ])('%i means %s', (code, advice) => {
    expect(closeAdvice(code)).toBe(advice);
  });
});
