/** Bins of the histogram of errors, from -REACH to REACH quanta; the first and last also hold what is beyond. */
export const BINS = 32;
/** Quanta that the histogram reaches to either side. */
export const REACH = 8;

/** How far one computation of a tensor is from another, over all samples. */
export interface Distance {
  /** Signal to noise in dB: 10 log10(sum of squares of the reference / of the differences); infinite where equal. */
  readonly sqnr: number;
  /** Cosine of the angle between the two. */
  readonly cosine: number;
  readonly maxError: number;
  /** Mean of the differences: a bias that further layers add up. */
  readonly meanError: number;
  /** Share of the elements whose reference lies beyond the grid by more than half a quantum. */
  readonly clipped: number;
  /** Shares of the errors in quanta of the grid; of a hundredth of the greatest magnitude where there is no grid. */
  readonly histogram: readonly number[];
}

/** The ends and the step of a grid, in reals. */
export interface GridRange {
  readonly low: number;
  readonly high: number;
  readonly scale: number;
}

/** Sums over the elements of all runs. */
interface Sums {
  signal: number;
  noise: number;
  other: number;
  dot: number;
  error: number;
  most: number;
  outside: number;
  count: number;
}

/** Adds up the distance of two computations of a tensor, sample by sample. */
export class DistanceSum {
  readonly grid: GridRange | undefined;
  readonly sums: Sums = { signal: 0, noise: 0, other: 0, dot: 0, error: 0, most: 0, outside: 0, count: 0 };
  readonly bins = new Float64Array(BINS);
  unit = 0;

  constructor(grid: GridRange | undefined) {
    this.grid = grid;
  }

  /** Adds one run. */
  add(reference: ArrayLike<number>, actual: ArrayLike<number>): void {
    const { grid, bins, sums } = this;
    const [low, high] = grid ? [grid.low - grid.scale / 2, grid.high + grid.scale / 2] : [-Infinity, Infinity];
    // Without a grid the first run decides what an error is measured by.
    if (this.unit === 0) this.unit = grid?.scale ?? (greatest(reference) / 100 || 1);
    for (let i = 0; i < reference.length; i++) {
      const r = Number(reference[i]);
      const a = Number(actual[i]);
      const d = a - r;
      sums.signal += r * r;
      sums.other += a * a;
      sums.dot += r * a;
      sums.noise += d * d;
      sums.error += d;
      if (Math.abs(d) > sums.most || Number.isNaN(d)) sums.most = Math.abs(d);
      if (r < low || r > high) sums.outside++;
      const bin = Math.floor(((d / this.unit + REACH) / (2 * REACH)) * BINS);
      const at = Math.min(BINS - 1, Math.max(0, bin || 0));
      bins[at] = (bins[at] as number) + 1;
    }
    sums.count += reference.length;
  }

  /** What was added up. */
  result(): Distance {
    const { signal, noise, other, dot, most, error, outside } = this.sums;
    const count = Math.max(1, this.sums.count);
    return {
      sqnr: sqnrOf(signal, noise),
      cosine: signal === 0 || other === 0 ? (signal === other ? 1 : 0) : dot / Math.sqrt(signal * other),
      maxError: most,
      meanError: error / count,
      clipped: outside / count,
      histogram: Array.from(this.bins, (n) => n / count),
    };
  }
}

/** Signal to noise in dB. */
export const sqnrOf = (signal: number, noise: number): number =>
  noise === 0 ? Number.POSITIVE_INFINITY : signal === 0 ? Number.NEGATIVE_INFINITY : 10 * Math.log10(signal / noise);

function greatest(values: ArrayLike<number>): number {
  let most = 0;
  for (let i = 0; i < values.length; i++) most = Math.max(most, Math.abs(Number(values[i])));
  return most;
}
