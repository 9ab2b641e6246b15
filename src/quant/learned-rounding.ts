/** Means and products of means of the operands that a filter sees: what decides on the error of its rounded weights. */
export interface Moments {
  /** Numbers that one sum takes in. */
  readonly size: number;
  /** Mean of each. */
  readonly mean: Float64Array;
  /** Covariances, [size, size]; null where only the means are known. */
  readonly covariance: Float64Array | null;
}

/** Sums up operands, row by row. */
export class MomentSums {
  private readonly sum: Float64Array;
  private readonly products: Float64Array | null;
  private rows = 0;
  readonly size: number;

  /** `full` also sums up the products of all pairs. */
  constructor(size: number, full: boolean) {
    this.size = size;
    this.sum = new Float64Array(size);
    this.products = full ? new Float64Array(size * size) : null;
  }

  /** Adds the operands of one sum. */
  add(row: Float64Array): void {
    const { size } = this;
    const [sum, products] = [this.sum, this.products];
    for (let i = 0; i < size; i++) {
      const v = row[i] as number;
      if (v === 0) continue; // after a relu many are
      sum[i] = (sum[i] as number) + v;
      if (!products) continue;
      for (let j = i, at = i * size + i; j < size; j++, at++)
        products[at] = (products[at] as number) + v * (row[j] as number);
    }
    this.rows++;
  }

  /** Adds the rows that other sums of the same kind took in. */
  merge(other: MomentSums): void {
    const add = (to: Float64Array, from: Float64Array): void => {
      for (let i = 0; i < to.length; i++) to[i] = (to[i] as number) + (from[i] as number);
    };
    add(this.sum, other.sum);
    if (this.products && other.products) add(this.products, other.products);
    this.rows += other.rows;
  }

  finish(): Moments {
    const { size } = this;
    const [rows, products] = [this.rows, this.products];
    const mean = this.sum.map((s) => s / Math.max(rows, 1));
    if (!products || rows === 0) return { size, mean, covariance: null };
    const covariance = new Float64Array(size * size);
    for (let i = 0; i < size; i++)
      for (let j = i; j < size; j++) {
        const v = (products[i * size + j] as number) / rows - (mean[i] as number) * (mean[j] as number);
        covariance[i * size + j] = v;
        covariance[j * size + i] = v;
      }
    return { size, mean, covariance };
  }
}

/** Parts of the whole range of a filter that clipping tries. */
const CLIPS = [1, 0.95, 0.9, 0.85, 0.8, 0.7];
/** What is added to the variances, as a part of their mean, so that few samples do not overrule the weights themselves. */
const DAMPING = 0.01;
const SWEEPS = 5;

/** A filter in codes. */
export interface LearnedFilter {
  readonly codes: Int8Array;
  readonly scale: number;
}

/** Covariances with damped variances. */
export function damped({ covariance, size }: Moments): Float64Array | null {
  if (!covariance) return null;
  let trace = 0;
  for (let i = 0; i < size; i++) trace += covariance[i * size + i] as number;
  const extra = (DAMPING * trace) / size + 1e-12;
  const result = covariance.slice();
  for (let i = 0; i < size; i++) result[i * size + i] = (result[i * size + i] as number) + extra;
  return result;
}

/**
 * Codes and scale of a filter with the least error of its sums, (v - w)^T A (v - w) with A the covariances of what it
 * reads: least squares over the calibration data. Every weight goes to one of its two neighbours on the grid, as in
 * Nagel et al., "Up or down? Adaptive rounding for post-training quantization", 2020; which one is found by coordinate
 * descent from the nearest. `clip` also tries smaller scales (outlier-aware clipping).
 */
export function learnFilter(
  w: Float64Array,
  a: Float64Array,
  scale: number,
  options: { clip: boolean; round: boolean },
): LearnedFilter {
  let best: LearnedFilter | null = null;
  let least = Number.POSITIVE_INFINITY;
  for (const part of options.clip ? CLIPS : [1]) {
    const found = roundFilter(w, a, Math.fround(scale * part), options.round);
    if (found.error < least) [best, least] = [found, found.error];
  }
  return best as LearnedFilter;
}

function roundFilter(
  w: Float64Array,
  a: Float64Array,
  scale: number,
  learn: boolean,
): LearnedFilter & { error: number } {
  const k = w.length;
  const codes = Int8Array.from(w, (v) => Math.min(Math.max(Math.round(v / scale), -127), 127));
  const d = Float64Array.from(w, (v, i) => (codes[i] as number) * scale - v);
  const gradient = new Float64Array(k);
  for (let i = 0; i < k; i++) {
    let g = 0;
    for (let j = 0; j < k; j++) g += (a[i * k + j] as number) * (d[j] as number);
    gradient[i] = g;
  }
  for (let sweep = 0, moved = true; learn && moved && sweep < SWEEPS; sweep++) {
    moved = false;
    for (let i = 0; i < k; i++) {
      const up = (d[i] as number) < 0;
      const code = (codes[i] as number) + (up ? 1 : -1);
      const step = up ? scale : -scale;
      const other = (d[i] as number) + step;
      const gain = 2 * step * (gradient[i] as number) + step * step * (a[i * k + i] as number);
      if (gain >= 0 || Math.abs(other) > scale || code < -127 || code > 127) continue;
      codes[i] = code;
      d[i] = other;
      for (let j = 0; j < k; j++) gradient[j] = (gradient[j] as number) + step * (a[i * k + j] as number);
      moved = true;
    }
  }
  let error = 0;
  for (let i = 0; i < k; i++) error += (d[i] as number) * (gradient[i] as number);
  return { codes, scale, error };
}
