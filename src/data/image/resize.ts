import type { Pixels } from './pixels.js';

/**
 * How a picture is resized. nearest and bilinear look at the nearest pixels only (half-pixel centres, edges clamped,
 * floor(v + 0.5)), as most inference code does. triangle, bicubic and lanczos average over all pixels that a
 * pixel of the result covers, with the arithmetic of Pillow's BILINEAR, BICUBIC and LANCZOS, to the bit.
 */
export type Interpolation = 'nearest' | 'bilinear' | 'triangle' | 'bicubic' | 'lanczos';

/** The names of all interpolations. */
export const INTERPOLATIONS: readonly Interpolation[] = ['nearest', 'bilinear', 'triangle', 'bicubic', 'lanczos'];

interface Filter {
  readonly support: number;
  weight(x: number): number;
}

const sinc = (x: number): number => (x === 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI));

const FILTERS: Readonly<Record<'triangle' | 'bicubic' | 'lanczos', Filter>> = {
  triangle: { support: 1, weight: (x) => Math.max(1 - Math.abs(x), 0) },
  bicubic: {
    support: 2,
    weight(x) {
      const [a, d] = [-0.5, Math.abs(x)];
      if (d < 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
      return d < 2 ? (((d - 5) * d + 8) * d - 4) * a : 0;
    },
  },
  lanczos: { support: 3, weight: (x) => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0) },
};

/** The taps of one pixel of the result along one axis: fixed-point weights from `start` on. */
interface Taps {
  readonly start: number;
  readonly weights: Int32Array;
}

/** Bits behind the point of Pillow's weights for 8-bit pictures: 32 - 8 - 2. */
const PRECISION = 22;

/** Pillow's coefficients (src/libImaging/Resample.c, precompute_coeffs and normalize_coeffs_8bpc). */
function tapsOf(from: number, to: number, { support, weight }: Filter): Taps[] {
  const scale = from / to;
  const stretch = Math.max(scale, 1);
  const reach = support * stretch;
  return Array.from({ length: to }, (_, i) => {
    const center = (i + 0.5) * scale;
    const start = Math.max(Math.trunc(center - reach + 0.5), 0);
    const end = Math.min(Math.trunc(center + reach + 0.5), from);
    const raw = Array.from({ length: end - start }, (_, k) => weight((k + start - center + 0.5) * (1 / stretch)));
    const sum = raw.reduce((a, b) => a + b, 0);
    const weights = raw.map((w) => {
      const v = (sum === 0 ? w : w / sum) * 2 ** PRECISION;
      return Math.trunc(v < 0 ? v - 0.5 : v + 0.5);
    });
    return { start, weights: Int32Array.from(weights) };
  });
}

const clip8 = (v: number): number => (v < 0 ? 0 : v > 255 ? 255 : v);

/** One pass along rows (`step` 3, lines `width * 3` apart) or columns of a picture. */
function pass(
  source: Uint8Array,
  taps: readonly Taps[],
  lines: number,
  step: number,
  lineStep: number,
  outStep: number,
  outLineStep: number,
): Uint8Array {
  const out = new Uint8Array(taps.length * lines * 3);
  for (const [i, { start, weights }] of taps.entries())
    for (let line = 0; line < lines; line++)
      for (let c = 0; c < 3; c++) {
        let sum = 1 << (PRECISION - 1);
        let at = line * lineStep + start * step + c;
        for (let k = 0; k < weights.length; k++, at += step) sum += (source[at] as number) * (weights[k] as number);
        out[line * outLineStep + i * outStep + c] = clip8(sum >> PRECISION);
      }
  return out;
}

/** Resizes with a filter as wide as a pixel of the result, rows first, rounding to 8 bits between, as Pillow does. */
function convolve({ width: w, height: h, data }: Pixels, width: number, height: number, filter: Filter): Uint8Array {
  const rows = width === w ? data : pass(data, tapsOf(w, width, filter), h, 3, w * 3, 3, width * 3);
  return height === h ? rows : pass(rows, tapsOf(h, height, filter), width, width * 3, 3, width * 3, 3);
}

/** The two pixels nearest to each pixel of the result along one axis, and the second one's part. */
function neighbours(from: number, to: number): { low: number; high: number; part: number }[] {
  return Array.from({ length: to }, (_, i) => {
    const at = Math.min(Math.max(((i + 0.5) * from) / to - 0.5, 0), from - 1);
    const low = Math.floor(at);
    return { low, high: Math.min(low + 1, from - 1), part: at - low };
  });
}

function bilinear({ width: w, height: h, data }: Pixels, width: number, height: number): Uint8Array {
  const out = new Uint8Array(width * height * 3);
  const columns = neighbours(w, width);
  const pixel = (y: number, x: number, c: number): number => data[(y * w + x) * 3 + c] as number;
  let at = 0;
  for (const y of neighbours(h, height))
    for (const x of columns)
      for (let c = 0; c < 3; c++) {
        const top = pixel(y.low, x.low, c) * (1 - x.part) + pixel(y.low, x.high, c) * x.part;
        const bottom = pixel(y.high, x.low, c) * (1 - x.part) + pixel(y.high, x.high, c) * x.part;
        out[at++] = Math.floor(top * (1 - y.part) + bottom * y.part + 0.5);
      }
  return out;
}

function nearest({ width: w, height: h, data }: Pixels, width: number, height: number): Uint8Array {
  const out = new Uint8Array(width * height * 3);
  let at = 0;
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const [sy, sx] = [Math.floor(((y + 0.5) * h) / height), Math.floor(((x + 0.5) * w) / width)];
      for (let c = 0; c < 3; c++) out[at++] = data[(sy * w + sx) * 3 + c] as number;
    }
  return out;
}

/** Resizes a picture; the same size gives the picture itself. */
export function resize(pixels: Pixels, width: number, height: number, how: Interpolation): Pixels {
  if (width === pixels.width && height === pixels.height) return pixels;
  const data =
    how === 'nearest'
      ? nearest(pixels, width, height)
      : how === 'bilinear'
        ? bilinear(pixels, width, height)
        : convolve(pixels, width, height, FILTERS[how]);
  return { width, height, data };
}
