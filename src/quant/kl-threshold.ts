/** What Q is given where P is not empty and Q is. */
const SMOOTHING = 1e-4;

/** Sums over the first i bins: counts, bins that are not empty, and count * log(count). */
interface Sums {
  readonly mass: Float64Array;
  readonly filled: Float64Array;
  readonly entropy: Float64Array;
}

const xLogX = (x: number): number => (x > 0 ? x * Math.log(x) : 0);

function sumsOf(counts: Float64Array): Sums {
  const [mass, filled, entropy] = [0, 1, 2].map(() => new Float64Array(counts.length + 1)) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  counts.forEach((n, i) => {
    mass[i + 1] = (mass[i] as number) + n;
    filled[i + 1] = (filled[i] as number) + (n > 0 ? 1 : 0);
    entropy[i + 1] = (entropy[i] as number) + xLogX(n);
  });
  return { mass, filled, entropy };
}

/**
 * The threshold with the least Kullback-Leibler divergence between the distribution of magnitudes, clipped at it, and its
 * quantized form. Source: Migacz, "8-bit inference with TensorRT", 2017. For every threshold of n >= `levels` bins, P is
 * the histogram up to it with the outliers in its last bin; Q takes the histogram without the outliers to the levels and
 * spreads every level evenly over its bins that are not empty in P. An empty bin of Q is smoothed where P is not empty
 * (as MXNet's calibration does), and the divergence is computed in floating point over all bins.
 */
export function klThreshold(counts: Float64Array, width: number, levels: number): number {
  const sums = sumsOf(counts);
  let [best, least] = [counts.length, Number.POSITIVE_INFINITY];
  for (let n = levels; n <= counts.length; n++) {
    const divergence = klOfSums(counts, sums, n, levels);
    if (divergence < least) [best, least] = [n, divergence];
  }
  return best * width;
}

/** KL(P || Q) for a threshold of n bins, as `klThreshold` minimizes it. */
export const klDivergence = (counts: Float64Array, n: number, levels: number): number =>
  klOfSums(counts, sumsOf(counts), n, levels);

/**
 * With p_i the counts of P, q = mass / filled the value of a level in all its filled bins, T and I the sums of P and Q:
 * KL = (sum p_i log p_i - sum over levels of P_level log q) / T - log(T / I).
 */
function klOfSums(counts: Float64Array, { mass, filled, entropy }: Sums, n: number, levels: number): number {
  const total = mass[counts.length] as number;
  const inside = mass[n] as number;
  const outliers = total - inside;
  const last = counts[n - 1] as number;
  const added = last === 0 && outliers > 0 ? 1 : 0;
  let sum = (entropy[n] as number) - xLogX(last) + xLogX(last + outliers);
  let missing = 0;
  for (let level = 0, from = 0; level < levels; level++) {
    const to = Math.floor(((level + 1) * n) / levels);
    const isLast = level === levels - 1;
    const own = (mass[to] as number) - (mass[from] as number);
    const bins = (filled[to] as number) - (filled[from] as number) + (isLast ? added : 0);
    const weight = own + (isLast ? outliers : 0);
    from = to;
    if (weight === 0) continue;
    if (own === 0) missing++;
    sum -= weight * Math.log(own === 0 ? SMOOTHING : own / bins);
  }
  if (inside === 0) return Number.POSITIVE_INFINITY;
  return sum / total - Math.log(total / (inside + missing * SMOOTHING));
}
