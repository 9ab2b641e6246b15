import { assert } from '../support/errors.js';

/** Element types of the IR. Importers convert other float types to f32 and other integers to i32 or i64. */
export const DTYPES = ['f32', 'i8', 'u8', 'i32', 'i64', 'bool'] as const;
/** The name of an element type. */
export type DType = (typeof DTYPES)[number];

/** Integer types that hold quantized codes (i32: biases). */
export type CodeDType = 'i8' | 'u8' | 'i32';

/** How ties are rounded: to even (ONNX, Paddle round_type 0) or half away from zero (Paddle round_type 1). */
export type Rounding = 'even' | 'away';

/**
 * A quantization grid: real = (code - zeroPoint) * scale, code in [min, max].
 * Per tensor (`axis` null, one scale) or per slice along `axis`. Scales are float32 values, but see `reciprocal`.
 */
export type Quant = {
  readonly dtype: CodeDType;
  readonly axis: number | null;
  readonly scales: readonly number[];
  readonly zeroPoints: readonly number[];
  readonly min: number;
  readonly max: number;
  readonly rounding: Rounding;
  /**
   * Codes are made by a product with a float32 reciprocal, as Paddle does, not by a quotient. Then scales are exact
   * quotients of float32 thresholds, which float32 does not hold.
   */
  readonly reciprocal?: true;
};

/**
 * The type of a value.
 *
 * - integer dtype + quant: the tensor holds codes; every op that computes on reals reads it as real numbers.
 * - f32 + quant: real numbers on that grid; whoever produces the value rounds to it (fake quantization).
 * - no quant: plain numbers.
 */
export interface TensorType {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly quant?: Quant;
}

/** Smallest and largest code of a code type. */
export const CODE_RANGE: Readonly<Record<CodeDType, readonly [number, number]>> = {
  i8: [-128, 127],
  u8: [0, 255],
  i32: [-2147483648, 2147483647],
};

/** A per-tensor grid with the full range of its code type. */
export function perTensor(dtype: CodeDType, scale: number, zeroPoint = 0, rounding: Rounding = 'even'): Quant {
  const [min, max] = CODE_RANGE[dtype];
  return { dtype, axis: null, scales: [Math.fround(scale)], zeroPoints: [zeroPoint], min, max, rounding };
}

/** The largest code of a symmetric grid of Paddle; its least is -127 or -128, by the version. */
const BIN = 127;

/** Thresholds up to this are those of channels that died in training: everything becomes 0 (docs/quantization.md). */
const DEAD = 1e-30;

/**
 * The symmetric int8 grid that a Paddle threshold (the greatest magnitude, float32) stands for: one threshold is per
 * tensor, several are along `axis`. A dead tensor holds zeros only; dead slices get step 1, since their weights are 0.
 */
export function thresholdGrid(thresholds: readonly number[], axis: number | null, rounding: Rounding): Quant {
  const scales = thresholds.map((t) => (t <= DEAD ? 1 : Math.fround(t) / BIN));
  const dead = axis === null && (thresholds[0] as number) <= DEAD;
  const [min, max] = dead ? [0, 0] : [rounding === 'even' ? -BIN - 1 : -BIN, BIN];
  return { dtype: 'i8', axis, scales, zeroPoints: scales.map(() => 0), min, max, rounding, reciprocal: true };
}

/**
 * How real numbers become quanta: `div` by the scale, or `mul` by f32(127 * f32(1 / threshold)) where the grid says
 * `reciprocal` (Paddle, fake_quantize_op.h).
 */
export function quantaOf(q: Quant, slice = 0): { readonly how: 'div' | 'mul'; readonly factor: number } {
  const scale = scaleAt(q, slice);
  if (!q.reciprocal) return { how: 'div', factor: scale };
  return { how: 'mul', factor: Math.fround(BIN * Math.fround(1 / Math.fround(scale * BIN))) };
}

/** A number as a scale of a grid: a float32, except where the grid has exact quotients. */
export const scaleOf = (q: Quant, scale: number): number => (q.reciprocal ? scale : Math.fround(scale));

/** A grid per slice along `axis`, with the full range of its code type. */
export function perAxis(
  dtype: CodeDType,
  axis: number,
  scales: readonly number[],
  zeroPoints: readonly number[] = scales.map(() => 0),
  rounding: Rounding = 'even',
): Quant {
  const [min, max] = CODE_RANGE[dtype];
  return { dtype, axis, scales: scales.map(Math.fround), zeroPoints, min, max, rounding };
}

/** The number of elements of a shape. */
export const sizeOf = (shape: readonly number[]): number => shape.reduce((n, d) => n * d, 1);

const sameList = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((v, i) => v === b[i]);

/** Equal shapes, dimension by dimension. */
export const sameShape = sameList;

/** Two grids that give equal codes for every real number. */
export function sameQuant(a: Quant | undefined, b: Quant | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return (
    a.dtype === b.dtype &&
    a.axis === b.axis &&
    a.min === b.min &&
    a.max === b.max &&
    a.rounding === b.rounding &&
    a.reciprocal === b.reciprocal &&
    sameList(a.scales, b.scales) &&
    sameList(a.zeroPoints, b.zeroPoints)
  );
}

/** Equal in dtype, shape and grid. */
export const sameType = (a: TensorType, b: TensorType): boolean =>
  a.dtype === b.dtype && sameList(a.shape, b.shape) && sameQuant(a.quant, b.quant);

/** Whether the tensor holds quantized codes. */
export const isCodes = (type: TensorType): boolean => type.quant !== undefined && type.dtype !== 'f32';

/** The type of the codes of a value on its grid. Throws if the type has no grid. */
export function codesType(type: TensorType): TensorType {
  assert(type.quant !== undefined, 'codesType needs a quantized type');
  return { dtype: type.quant.dtype, shape: type.shape, quant: type.quant };
}

/** The type of the real numbers behind a value, without a grid. */
export const realType = (type: TensorType): TensorType => ({ dtype: 'f32', shape: type.shape });

/** The scale of slice `i` along the quantized axis (any `i` for a per-tensor grid). */
export const scaleAt = (q: Quant, i: number): number => q.scales[q.axis === null ? 0 : i] as number;

/** The zero point of slice `i` along the quantized axis (any `i` for a per-tensor grid). */
export const zeroPointAt = (q: Quant, i: number): number => q.zeroPoints[q.axis === null ? 0 : i] as number;
