/** One row of a list that is counted in seqs: a message, or a stretch of them that is not loaded. */
export interface Row {
  key: string;
  /** The seqs this row stands for, both included; `to < from` where it stands for none (an unsent message). */
  from: number;
  to: number;
  /** Its height until it has been measured; of a gap, always. */
  estimate: number;
}

/** Where somebody reads: this far below the top of what stands at this seq. */
export interface Anchor {
  key: string;
  seq: number;
  delta: number;
}

/** Heights turned into places. Immutable: a new one for new rows or heights. */
export class Layout<R extends Row> {
  private readonly tops: Float64Array;
  readonly total: number;

  constructor(
    readonly rows: readonly R[],
    private readonly heights: ReadonlyMap<string, number>,
  ) {
    this.tops = new Float64Array(rows.length + 1);
    let top = 0;
    rows.forEach((row, index) => {
      this.tops[index] = top;
      top += this.heights.get(row.key) ?? row.estimate;
    });
    this.tops[rows.length] = top;
    this.total = top;
  }

  topOf(index: number): number {
    return this.tops[index] ?? 0;
  }

  /** The row at this height; the last one below the end. */
  indexAt(y: number): number {
    return Math.max(
      0,
      this.lastWhere((index) => this.topOf(index) <= y),
    );
  }

  /** The row that stands for this seq, or the last one before it. */
  indexOf(seq: number): number {
    return Math.max(
      0,
      this.lastWhere((index) => (this.rows[index]?.from ?? 0) <= seq),
    );
  }

  /** Where to scroll, so that one reads where the anchor says. */
  locate(anchor: Anchor): number {
    const index = this.indexOf(anchor.seq);
    if (this.rows[index]?.key === anchor.key) return this.placeOf(index, anchor.seq) + anchor.delta;
    const kept = this.rows.findIndex((row) => row.key === anchor.key && row.to < row.from);
    if (kept >= 0) return this.placeOf(kept, anchor.seq) + anchor.delta;
    return this.placeOf(index, anchor.seq) + Math.min(anchor.delta, this.heightOf(index));
  }

  anchorAt(y: number): Anchor {
    const index = this.indexAt(y);
    const row = this.rows[index];
    if (!row) return { key: '', seq: 0, delta: y };
    const each = this.perSeq(index);
    const seq = each > 0 ? Math.min(row.to, row.from + Math.floor((y - this.topOf(index)) / each)) : row.from;
    return { key: row.key, seq, delta: y - this.placeOf(index, seq) };
  }

  /** The seq at this height: inside a gap, in proportion. */
  seqAt(y: number): number {
    return this.anchorAt(Math.max(0, Math.min(y, this.total - 1))).seq;
  }

  private placeOf(index: number, seq: number): number {
    const row = this.rows[index];
    if (!row) return 0;
    return this.topOf(index) + Math.max(0, seq - row.from) * this.perSeq(index);
  }

  /** Height per seq of a row that is not measured and stands for many: a gap. Zero for any other. */
  private perSeq(index: number): number {
    const row = this.rows[index];
    if (!row || row.to <= row.from || this.heights.has(row.key)) return 0;
    return row.estimate / (row.to - row.from + 1);
  }

  private heightOf(index: number): number {
    return this.topOf(index + 1) - this.topOf(index);
  }

  private lastWhere(holds: (index: number) => boolean): number {
    let low = -1;
    let high = this.rows.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (holds(middle)) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
