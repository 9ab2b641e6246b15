/** Bits of the mantissa that a bin keeps: bins are 2^-11 of a power of two wide, 2048 to the octave. */
const MANTISSA_BITS = 11;
const SHIFT = 23 - MANTISSA_BITS;
const OCTAVE = 1 << MANTISSA_BITS;
/** The first bin of negative numbers; their magnitudes run as those of positive ones. */
const SIGN = 1 << (8 + MANTISSA_BITS);
const BINS = 2 * SIGN;
/** The first bin, by magnitude, of infinities and NaN. */
const NOT_FINITE = 255 << MANTISSA_BITS;
/** Counts of 32 bits are exact to here. */
const MAX_COUNT = 2 ** 32 - 1;

/** Bins with elements, in ascending order: the middle of each and its count. */
export interface Bins {
  readonly values: Float64Array;
  readonly counts: Float64Array;
}

/** Counts of magnitudes in bins of one width: bin i holds i * width <= |x| < (i + 1) * width. */
export interface Magnitudes {
  readonly width: number;
  readonly counts: Float64Array;
}

/** A histogram as JSON: its range, and from bin to bin the distance and the count, by turns. */
export interface HistogramJson {
  readonly range: readonly [number, number] | null;
  readonly bins: readonly number[];
}

/**
 * Counts of float32 numbers in bins that are fixed for all tensors: sign, exponent and the upper 11 bits of the mantissa
 * of the number itself say which. Counts are integers, so that any split and any order of the data gives the same
 * histogram, bit by bit, and sums of histograms are exact (to 2^53 elements). No range has to be known in advance, and
 * only the octaves into which something falls take memory.
 */
export class Histogram {
  private bins: Uint32Array | Float64Array = new Uint32Array(BINS);
  private least = Number.POSITIVE_INFINITY;
  private greatest = Number.NEGATIVE_INFINITY;
  private total = 0;

  /** Counts every element. */
  add(data: Float32Array): void {
    this.grow(data.length);
    const { bins } = this;
    for (let from = 0; from < data.length; from += BLOCK) {
      const block = data.subarray(from, from + BLOCK);
      const bits = new Uint32Array(block.buffer, block.byteOffset, block.length);
      if (bins instanceof Uint32Array) count32(bins, bits);
      else count64(bins, bits);
      this.setRange(least(block, this.least), greatest(block, this.greatest));
    }
  }

  /** Adds the counts of another histogram. */
  merge(other: Histogram): void {
    this.grow(other.total);
    const { bins } = this;
    for (let i = 0; i < BINS; i++) bins[i] = (bins[i] as number) + (other.bins[i] as number);
    this.setRange(Math.min(this.least, other.least), Math.max(this.greatest, other.greatest));
  }

  /** Makes place for `n` more elements in any bin. */
  private grow(n: number): void {
    this.total += n;
    if (this.total > MAX_COUNT && this.bins instanceof Uint32Array) this.bins = Float64Array.from(this.bins);
  }

  private setRange(min: number, max: number): void {
    this.least = min + 0; // a zero has no sign
    this.greatest = max + 0;
  }

  /** The least element; 0 where there is none. */
  get min(): number {
    return this.total === 0 ? 0 : this.least;
  }

  /** The greatest element; 0 where there is none. */
  get max(): number {
    return this.total === 0 ? 0 : this.greatest;
  }

  /** The number of elements. */
  get count(): number {
    return this.total;
  }

  /** The number of elements that are 0, subnormal numbers among them. */
  get zeros(): number {
    return this.countOf(0, OCTAVE);
  }

  /** The number of elements that are NaN or infinite. */
  get notFinite(): number {
    return this.countOf(NOT_FINITE, SIGN);
  }

  /** The number of elements whose magnitudes fall into some bins. */
  private countOf(from: number, to: number): number {
    let sum = 0;
    for (let i = from; i < to; i++) sum += (this.bins[i] as number) + (this.bins[SIGN + i] as number);
    return sum;
  }

  /** The bins that hold finite elements. Numbers below 2^-126 in magnitude stand as 0. */
  elements(): Bins {
    const values: number[] = [];
    const counts: number[] = [];
    const take = (bin: number): void => {
      const n = this.bins[bin] as number;
      if (n === 0) return;
      values.push(middle(bin));
      counts.push(n);
    };
    const top = this.topBin();
    for (let i = top; i >= OCTAVE; i--) take(SIGN + i);
    if (this.zeros > 0) {
      values.push(0);
      counts.push(this.zeros);
    }
    for (let i = OCTAVE; i <= top; i++) take(i);
    return { values: Float64Array.from(values), counts: Float64Array.from(counts) };
  }

  /**
   * The magnitudes in equal bins, between 2048 and 4096 up to the greatest: the bins of its octave, and whole bins of
   * the octaves below, whose edges are theirs too, so that nothing is estimated. Zeros are left out: every grid has them.
   * Null where all elements are 0.
   */
  magnitudes(): Magnitudes | null {
    const last = this.topBin();
    const top = last >>> MANTISSA_BITS;
    if (top === 0) return null;
    const counts = new Float64Array(2 * OCTAVE);
    for (let i = OCTAVE; i <= last; i++) {
      const n = (this.bins[i] as number) + (this.bins[SIGN + i] as number);
      if (n === 0) continue;
      const exponent = i >>> MANTISSA_BITS;
      const at = Math.floor((OCTAVE + (i & (OCTAVE - 1))) / 2 ** (top - exponent));
      counts[at] = (counts[at] as number) + n;
    }
    const used = OCTAVE + (last & (OCTAVE - 1)) + 1;
    return { width: 2 ** (top - 127 - MANTISSA_BITS), counts: counts.slice(0, used) };
  }

  /** The bin, by magnitude, of the greatest finite magnitude. */
  private topBin(): number {
    let i = NOT_FINITE - 1;
    while (i > 0 && this.bins[i] === 0 && this.bins[SIGN + i] === 0) i--;
    return i;
  }

  /** The histogram as plain data, for a file; `fromJson` reads it back. */
  toJson(): HistogramJson {
    const list: number[] = [];
    let last = 0;
    for (let i = 0; i < BINS; i++) {
      if (this.bins[i] === 0) continue;
      list.push(i - last, this.bins[i] as number);
      last = i;
    }
    return { range: this.total === 0 ? null : [this.least, this.greatest], bins: list };
  }

  /** Reads what `toJson` gave. Throws an Error for anything else. */
  static fromJson({ range, bins: list }: HistogramJson): Histogram {
    const histogram = new Histogram();
    const counts = list.filter((_, i) => i % 2 === 1);
    histogram.grow(counts.reduce((a, b) => a + b, 0));
    let bin = 0;
    counts.forEach((n, i) => {
      bin += list[2 * i] as number;
      if (!(bin >= 0 && bin < BINS && Number.isSafeInteger(n) && n > 0)) throw new Error('damaged counts');
      histogram.bins[bin] = n;
    });
    if (range) histogram.setRange(range[0], range[1]);
    return histogram;
  }
}

// Loops of one kind of array each, over blocks that stay in the cache: several times faster than one loop for all.

/** Elements that are looked at at a time. */
const BLOCK = 4096;

function count32(bins: Uint32Array, bits: Uint32Array): void {
  for (let i = 0; i < bits.length; i++) bins[(bits[i] as number) >>> SHIFT]!++;
}

function count64(bins: Float64Array, bits: Uint32Array): void {
  for (let i = 0; i < bits.length; i++) bins[(bits[i] as number) >>> SHIFT]!++;
}

function least(data: Float32Array, start: number): number {
  let min = start;
  for (let i = 0; i < data.length; i++) min = (data[i] as number) < min ? (data[i] as number) : min;
  return min;
}

function greatest(data: Float32Array, start: number): number {
  let max = start;
  for (let i = 0; i < data.length; i++) max = (data[i] as number) > max ? (data[i] as number) : max;
  return max;
}

const BITS = new Uint32Array(1);
const FLOAT = new Float32Array(BITS.buffer);

/** The number in the middle of a bin. */
function middle(bin: number): number {
  BITS[0] = (bin << SHIFT) | (1 << (SHIFT - 1));
  return FLOAT[0] as number;
}
