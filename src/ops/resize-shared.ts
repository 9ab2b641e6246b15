import type { Tensor } from '../ir/tensor.js';
import { sizeOf, type TensorType } from '../ir/type.js';
import type { Taps } from './lowering/resample.js';

/** How output positions fall on the input. Source: ONNX Resize, coordinate_transformation_mode. */
export const COORDINATES = [
  'half_pixel',
  'half_pixel_symmetric',
  'pytorch_half_pixel',
  'align_corners',
  'asymmetric',
  'tf_half_pixel_for_nn',
  'tf_crop_and_resize',
] as const;
/** How a place between two elements is rounded by nearest interpolation; ONNX nearest_mode. */
export const NEAREST = ['round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil'] as const;

/** Attributes of nearest_interp and linear_interp, per dimension of x; a dimension of scale 1 and equal size stays. */
export type ResizeAttrs = {
  readonly mode: 'nearest' | 'linear' | 'cubic';
  readonly coordinates: (typeof COORDINATES)[number];
  readonly nearest: (typeof NEAREST)[number];
  readonly cubic: number;
  /** Taps outside of the input have no weight, instead of repeating the border. */
  readonly excludeOutside: boolean;
  readonly sizes: readonly number[];
  readonly scales: readonly number[];
  /** For tf_crop_and_resize: first and last position per dimension, in 0..1; positions outside give 0. */
  readonly starts: readonly number[];
  readonly ends: readonly number[];
};

/** The input position of output `x` along dimension `d`. */
function position(attrs: ResizeAttrs, d: number, size: number, x: number): number {
  const [out, scale] = [attrs.sizes[d] as number, attrs.scales[d] as number];
  const half = (x + 0.5) / scale;
  switch (attrs.coordinates) {
    case 'align_corners':
      return out === 1 ? 0 : (x * (size - 1)) / (out - 1);
    case 'asymmetric':
      return x / scale;
    case 'pytorch_half_pixel':
      return out > 1 ? half - 0.5 : 0;
    case 'tf_half_pixel_for_nn':
      return half;
    case 'half_pixel_symmetric': {
      const centre = size / 2;
      return centre * (1 - out / (scale * size)) + half - 0.5;
    }
    case 'tf_crop_and_resize': {
      const [start, end] = [attrs.starts[d] as number, attrs.ends[d] as number];
      if (out === 1) return 0.5 * (start + end) * (size - 1);
      return start * (size - 1) + (x * (end - start) * (size - 1)) / (out - 1);
    }
    default:
      return half - 0.5;
  }
}

const ROUND: Readonly<Record<ResizeAttrs['nearest'], (x: number) => number>> = {
  round_prefer_floor: (x) => Math.ceil(x - 0.5),
  round_prefer_ceil: (x) => Math.floor(x + 0.5),
  floor: Math.floor,
  ceil: Math.ceil,
};

/** First tap and weights of a position. */
function weightsAt(attrs: ResizeAttrs, at: number): { first: number; weights: number[] } {
  if (attrs.mode === 'nearest') return { first: ROUND[attrs.nearest](at), weights: [1] };
  const below = Math.floor(at);
  const t = at - below;
  if (attrs.mode === 'linear') return { first: below, weights: [1 - t, t] };
  const a = attrs.cubic;
  const near = (s: number): number => ((a + 2) * s - (a + 3)) * s * s + 1;
  const far = (s: number): number => ((a * s - 5 * a) * s + 8 * a) * s - 4 * a;
  return { first: below - 1, weights: [far(1 + t), near(t), near(1 - t), far(2 - t)] };
}

/** What the outputs along dimension `d` are made of; null where the dimension stays. */
export function tapsOf(attrs: ResizeAttrs, d: number, size: number): Taps | null {
  const out = attrs.sizes[d] as number;
  const crops = attrs.coordinates === 'tf_crop_and_resize';
  if (out === size && (crops ? attrs.starts[d] === 0 && attrs.ends[d] === 1 : attrs.scales[d] === 1)) return null;
  const indices: number[] = [];
  const all: number[] = [];
  let taps = 1;
  for (let x = 0; x < out; x++) {
    const at = position(attrs, d, size, x);
    const { first, weights } = weightsAt(attrs, at);
    taps = weights.length;
    const outside = crops && (at < 0 || at > size - 1);
    const inside = weights.map((_, i) => first + i >= 0 && first + i < size);
    const kept = weights.map((w, i) => (outside || (attrs.excludeOutside && !inside[i]) ? 0 : w));
    const total = attrs.excludeOutside && !outside ? kept.reduce((s, w) => s + w, 0) : 1;
    indices.push(...weights.map((_, i) => Math.min(Math.max(first + i, 0), size - 1)));
    all.push(...kept.map((w) => w / total));
  }
  const weighted = attrs.mode !== 'nearest' || crops;
  return { taps, indices, weights: weighted ? Float32Array.from(all) : null };
}

/** The result's type; throws unless the attributes fit. */
export function inferResize(attrs: ResizeAttrs, dtype: TensorType['dtype'], shape: readonly number[]): TensorType[] {
  if (attrs.sizes.length !== shape.length) throw new Error(`${attrs.sizes.length} sizes for rank ${shape.length}`);
  if (attrs.sizes.some((s) => !Number.isInteger(s) || s < 1)) throw new Error(`sizes [${attrs.sizes}]`);
  if (shape.some((s) => s < 1)) throw new Error('an empty tensor cannot be resized');
  return [{ dtype, shape: attrs.sizes }];
}

/** Resizes one dimension after the other, in float64 where there are weights. */
export function referenceResize(attrs: ResizeAttrs, x: Tensor): Tensor {
  let shape = [...x.type.shape];
  let values: ArrayLike<number | bigint> = x.data as ArrayLike<number | bigint>;
  shape.forEach((size, d) => {
    const taps = tapsOf(attrs, d, size);
    if (!taps) return;
    const next = shape.map((s, i) => (i === d ? (attrs.sizes[d] as number) : s));
    values = along(values, taps, shape, next, d);
    shape = next;
  });
  const data = new (x.data.constructor as new (n: number) => Tensor['data'])(values.length);
  for (let i = 0; i < values.length; i++) data[i] = values[i] as never;
  return { type: { ...x.type, shape }, data };
}

function along(
  x: ArrayLike<number | bigint>,
  { taps, indices, weights }: Taps,
  shape: readonly number[],
  next: readonly number[],
  d: number,
): (number | bigint)[] {
  const inner = sizeOf(shape.slice(d + 1));
  const [size, out] = [shape[d] as number, next[d] as number];
  return Array.from({ length: sizeOf(next) }, (_, i) => {
    const at = Math.floor(i / inner) % out;
    const base = Math.floor(i / (inner * out)) * size * inner + (i % inner);
    const pick = (t: number): number | bigint => x[base + (indices[at * taps + t] as number) * inner] as number;
    if (!weights) return pick(0);
    let sum = 0;
    for (let t = 0; t < taps; t++) sum += Number(pick(t)) * (weights[at * taps + t] as number);
    return sum;
  });
}
