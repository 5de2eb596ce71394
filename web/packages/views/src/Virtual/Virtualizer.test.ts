import { describe, expect, it } from 'vitest';
import type { Row } from './Layout';
import { Virtualizer } from './Virtualizer';

const isGap = (row: Row) => row.key.startsWith('gap');
const message = (seq: number): Row => ({ key: `m${seq}`, from: seq, to: seq, estimate: 40 });
const gap = (from: number, to: number): Row => ({
  key: `gap${from}`,
  from,
  to,
  estimate: (to - from + 1) * 40,
});
const messages = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, at) => message(from + at));

function made(rows: Row[], clientHeight = 600) {
  const virtualizer = new Virtualizer<Row>({ isGap });
  const scroller = { scrollTop: 0, clientHeight };
  virtualizer.attach(scroller);
  virtualizer.setRows(rows);
  virtualizer.place();
  const scrollTo = (top: number) => {
    scroller.scrollTop = top;
    virtualizer.scrolled();
  };
  return { virtualizer, scroller, scrollTo };
}

describe('Virtualizer', () => {
  it('draws few rows of very many, and begins at the end', () => {
    const { virtualizer, scroller } = made([gap(1, 196_477), ...messages(196_478, 196_577)]);
    expect(virtualizer.getSnapshot().total).toBe(196_577 * 40);
    expect(virtualizer.getSnapshot().rows.length).toBeLessThan(60);
    expect(scroller.scrollTop).toBe(196_577 * 40 - 600);
    expect(virtualizer.sight()).toMatchObject({ last: 196_577, atEnd: true, gaps: [] });
  });

  it('stays with the end when a message comes', () => {
    const { virtualizer, scroller } = made(messages(1, 100));
    virtualizer.setRows(messages(1, 101));
    virtualizer.place();
    expect(scroller.scrollTop).toBe(101 * 40 - 600);
  });

  it('does not move what is read when messages come before, after, or turn out taller', () => {
    const { virtualizer, scroller, scrollTo } = made([gap(1, 500), ...messages(501, 600)]);
    scrollTo(520 * 40 + 7);
    virtualizer.setRows([gap(1, 400), ...messages(401, 601)]);
    virtualizer.measure(messages(401, 520).map((row) => [row.key, 65]));
    virtualizer.place();
    expect(scroller.scrollTop).toBe(400 * 40 + 120 * 65 + 7);
    expect(virtualizer.sight().first).toBe(521);
  });

  it('asks for what is on the screen when thrown into the middle of what is not loaded, and stays there', () => {
    const { virtualizer, scroller, scrollTo } = made([gap(1, 100_000), ...messages(100_001, 100_100)]);
    scrollTo(50_000 * 40);
    const [wanted] = virtualizer.sight().gaps;
    expect(wanted?.near).toBeGreaterThanOrEqual(50_000);
    expect(wanted?.near).toBeLessThan(50_020);
    virtualizer.setRows([
      gap(1, 49_950),
      ...messages(49_951, 50_050),
      gap(50_051, 100_000),
      ...messages(100_001, 100_100),
    ]);
    virtualizer.measure(messages(49_951, 50_000).map((row) => [row.key, 90]));
    virtualizer.place();
    expect(virtualizer.sight().first).toBe(50_001);
    expect(scroller.scrollTop).toBe(49_950 * 40 + 50 * 90);
  });

  it('shows a seq a third down, also while heights settle', () => {
    const { virtualizer, scroller } = made(messages(1, 1000));
    virtualizer.showSeq(500);
    virtualizer.measure(messages(480, 499).map((row) => [row.key, 100]));
    virtualizer.place();
    virtualizer.scrolled();
    expect(scroller.scrollTop).toBe(479 * 40 + 20 * 100 - 180);
  });

  it('does not stick to an end that is not loaded', () => {
    const { virtualizer, scrollTo } = made([...messages(1, 100), gap(101, 200)]);
    scrollTo(200 * 40 - 600);
    expect(virtualizer.sight().atEnd).toBe(false);
  });
});
