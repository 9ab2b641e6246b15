import type { Histogram } from './histogram.js';
import { minmax, type Range, type Scheme } from './thresholds.js';

/**
 * The clipping threshold that is best for a Laplace or a normal distribution of the data's deviation, whichever is nearer.
 * Source: Banner, Nahshan, Soudry, "Post training 4-bit quantization of convolutional networks for rapid-deployment",
 * 2019 (ACIQ): the sum of clipping noise and rounding noise, step^2 / 12, is least. Data that are never negative are
 * taken as the positive half of the distribution.
 */
export function aciqRange(h: Histogram, scheme: Scheme): Range {
  const full = minmax(h);
  const { values, counts } = h.elements();
  const half = full.lo === 0;
  let [n, sum, square] = [0, 0, 0];
  for (let i = 0; i < values.length; i++) {
    const v = values[i] as number;
    if (half && v === 0) continue;
    n += counts[i] as number;
    sum += (counts[i] as number) * v;
    square += (counts[i] as number) * v * v;
  }
  if (n === 0) return full;
  const mean = half ? 0 : sum / n;
  let deviation = 0;
  for (let i = 0; i < values.length; i++)
    if (!half || values[i] !== 0) deviation += (counts[i] as number) * Math.abs((values[i] as number) - mean);
  const b = deviation / n;
  const sigma = Math.sqrt(Math.max(square / n - mean * mean, 0));
  if (!(b > 0) || !(sigma > 0)) return full;
  const laplace = Math.abs(b / sigma - Math.SQRT1_2) < Math.abs(b / sigma - Math.sqrt(2 / Math.PI));
  const levels = half && scheme === 'u8' ? 255 : 127.5;
  const noise = laplace
    ? (a: number): number => 2 * b * b * Math.exp(-a / b)
    : (a: number): number =>
        (a * a + sigma * sigma) * erfc(a / (Math.SQRT2 * sigma)) -
        Math.sqrt(2 / Math.PI) * a * sigma * Math.exp((-a * a) / (2 * sigma * sigma));
  const alpha = least((a) => noise(a) + (a / levels) ** 2 / 12, 0, 20 * (laplace ? b : sigma));
  return { lo: Math.max(full.lo, Math.min(mean - alpha, 0)), hi: Math.min(full.hi, Math.max(mean + alpha, 0)) };
}

/** Where a function with one minimum is least, by golden sections. */
function least(f: (x: number) => number, from: number, to: number): number {
  const ratio = (Math.sqrt(5) - 1) / 2;
  let [lo, hi] = [from, to];
  for (let i = 0; i < 80; i++) {
    const [a, b] = [hi - ratio * (hi - lo), lo + ratio * (hi - lo)];
    if (f(a) < f(b)) hi = b;
    else lo = a;
  }
  return (lo + hi) / 2;
}

/** 1 - erf(x) for x >= 0 in float64, to about 1e-14: the Taylor series near 0, the continued fraction behind. */
function erfc(x: number): number {
  if (x < 2.5) {
    let [term, sum] = [x, x];
    for (let n = 1; Math.abs(term) > 1e-17 && n < 100; n++) {
      term *= (-x * x) / n;
      sum += term / (2 * n + 1);
    }
    return 1 - (2 / Math.sqrt(Math.PI)) * sum;
  }
  let fraction = 0;
  for (let n = 60; n > 0; n--) fraction = n / 2 / (x + fraction);
  return Math.exp(-x * x) / (Math.sqrt(Math.PI) * (x + fraction));
}
