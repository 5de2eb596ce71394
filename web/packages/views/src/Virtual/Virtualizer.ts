import { Layout, type Anchor, type Row } from './Layout';

/** What is to be drawn now. */
export interface Slice<R extends Row> {
  rows: readonly R[];
  /** Height of all rows before the first drawn one, and of all rows. */
  before: number;
  total: number;
}

/** The part of an element that scrolls which is needed here; a test brings its own. */
export interface Scroller {
  scrollTop: number;
  readonly clientHeight: number;
}

/** What is on the screen: the seqs from top to bottom, and the gaps among them and close to them. */
export interface Sight {
  /** The row at the top edge. */
  topKey: string;
  first: number;
  last: number;
  atEnd: boolean;
  gaps: { from: number; to: number; near: number }[];
}

export interface RowTraits<R extends Row> {
  isGap: (row: R) => boolean;
}

const overscan = 700;
const endSlack = 24;

/**
 * Draws the few rows that are on the screen out of very many, most of which are not even loaded.
 *
 * Other virtualisers count rows and hold an index; here the place is held by *seq*, so that a gap that turns into
 * messages, messages that come before, and heights that turn out different never move what is being read.
 */
export class Virtualizer<R extends Row> {
  private layout: Layout<R>;
  private readonly heights = new Map<string, number>();
  private readonly listeners = new Set<() => void>();
  private anchor: Anchor | 'end' = 'end';
  private scroller: Scroller | null = null;
  private placed = -1;
  private slice: Slice<R> = { rows: [], before: 0, total: 0 };

  constructor(private readonly traits: RowTraits<R>) {
    this.layout = new Layout<R>([], this.heights);
  }

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  getSnapshot = (): Slice<R> => this.slice;

  attach(scroller: Scroller | null): void {
    this.scroller = scroller;
    this.draw();
  }

  setRows(rows: readonly R[]): void {
    if (rows === this.layout.rows) return;
    const top = this.wantedTop();
    if (this.layout.rows.length > 0 && this.reachesEnd(top + (this.scroller?.clientHeight ?? 0)))
      this.anchor = 'end';
    this.layout = new Layout(rows, this.heights);
    this.draw();
  }

  /** Heights as they are on the screen. Answers whether any was another than thought. */
  measure(measured: Iterable<[string, number]>): boolean {
    let changed = false;
    for (const [key, height] of measured) {
      if (Math.abs((this.heights.get(key) ?? -1) - height) < 0.5) continue;
      this.heights.set(key, height);
      changed = true;
    }
    if (!changed) return false;
    this.layout = new Layout(this.layout.rows, this.heights);
    this.draw();
    return true;
  }

  /** Scrolls to where the anchor is now. */
  place(): void {
    if (!this.scroller) return;
    const wanted = this.wantedTop();
    if (Math.abs(this.scroller.scrollTop - wanted) > 0.5) this.scroller.scrollTop = wanted;
    this.placed = this.scroller.scrollTop;
  }

  /** Somebody scrolled; what we did ourselves is not heard. */
  scrolled(): void {
    if (!this.scroller) return;
    const top = this.scroller.scrollTop;
    if (Math.abs(top - this.placed) < 1.5) return;
    this.placed = top;
    this.anchor = this.isAtEnd() ? 'end' : this.layout.anchorAt(top);
    this.draw();
  }

  /** Puts a seq `share` of the window's height below its top edge. */
  showSeq(seq: number, share = 0.3): void {
    const row = this.layout.rows[this.layout.indexOf(seq)];
    this.anchor = {
      key: row?.key ?? '',
      seq,
      delta: -Math.round((this.scroller?.clientHeight ?? 0) * share),
    };
    this.draw();
    this.place();
  }

  showEnd(): void {
    this.anchor = 'end';
    this.draw();
    this.place();
  }

  scrollBy(pixels: number): void {
    if (this.scroller) this.scroller.scrollTop += pixels;
  }

  sight(): Sight {
    const top = Math.max(0, this.wantedTop());
    const height = this.scroller?.clientHeight ?? 0;
    const bottom = Math.min(this.layout.total, top + height);
    const gaps: Sight['gaps'] = [];
    const last = this.layout.indexAt(bottom + height);
    for (let index = this.layout.indexAt(Math.max(0, top - height)); index <= last; index += 1) {
      const row = this.layout.rows[index];
      if (!row || !this.traits.isGap(row)) continue;
      const near = this.layout.seqAt(
        Math.max(this.layout.topOf(index), Math.min((top + bottom) / 2, this.layout.topOf(index + 1) - 1)),
      );
      gaps.push({ from: row.from, to: row.to, near });
    }
    const topKey = this.layout.rows[this.layout.indexAt(top + 1)]?.key ?? '';
    return {
      topKey,
      first: this.layout.seqAt(top),
      last: this.lastSeen(bottom),
      atEnd: this.reachesEnd(bottom),
      gaps,
    };
  }

  /** The last seq whose row is wholly above the lower edge. */
  private lastSeen(bottom: number): number {
    const index = this.layout.indexAt(Math.max(0, bottom - 1));
    const row = this.layout.rows[index];
    if (!row) return 0;
    if (this.layout.topOf(index + 1) <= bottom + 2)
      return Math.max(row.to, this.layout.rows[index - 1]?.to ?? 0);
    return this.layout.rows[index - 1]?.to ?? 0;
  }

  private isAtEnd(): boolean {
    if (!this.scroller) return true;
    return this.reachesEnd(this.scroller.scrollTop + this.scroller.clientHeight);
  }

  private reachesEnd(bottom: number): boolean {
    return bottom >= this.layout.total - endSlack && !this.endsInGap();
  }

  private endsInGap(): boolean {
    const last = this.layout.rows.at(-1);
    return last !== undefined && this.traits.isGap(last);
  }

  private wantedTop(): number {
    const height = this.scroller?.clientHeight ?? 0;
    const end = Math.max(0, this.layout.total - height);
    return this.anchor === 'end' ? end : Math.max(0, Math.min(end, this.layout.locate(this.anchor)));
  }

  private draw(): void {
    const height = this.scroller?.clientHeight ?? 800;
    const top = this.wantedTop();
    const start = this.layout.indexAt(Math.max(0, top - overscan));
    const end = this.layout.indexAt(top + height + overscan) + 1;
    const rows = this.layout.rows.slice(start, end);
    const before = this.layout.topOf(start);
    const same =
      before === this.slice.before &&
      this.layout.total === this.slice.total &&
      rows.length === this.slice.rows.length &&
      rows.every((row, index) => row === this.slice.rows[index]);
    if (same) return;
    this.slice = { rows, before, total: this.layout.total };
    for (const listener of this.listeners) listener();
  }
}
