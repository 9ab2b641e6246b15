import type { Rounding } from '../../ir/type.js';
import { roundToCode } from '../../quant/requantize.js';
import {
  type CodeStorage,
  holdsCodes,
  type KernelDef,
  type Split,
  type SplitPart,
  STORAGE_BYTES,
  type Storage,
} from '../kernel.js';
import { elementsOf } from './elements.js';
import { emitPool } from './pool-emit.js';
import { type WindowGroup, windowGroups } from './pool-windows.js';

/**
 * Max and average pooling of one NHWC image. Windows are clipped to the image; none may lie wholly outside of it.
 *
 * Arguments: [source, target (byte addresses of the first pixel, not of a halo), ...]:
 *
 * - max: codes -> codes keeps them, with `clamp` lo i32, hi i32 follow; f32 -> f32 has none. NaN is ignored.
 * - average of codes: scale table address f32[maxCount + 1] indexed by the number n of counted elements; v = f32(f32(sum)
 *   * table[n]) with the exact int32 sum of centred codes; codes as output: lo i32, hi i32 follow and v is rounded and
 *   clamped; f32 output: v.
 * - average of f32 -> f32: the sum in order of (ky, kx), divided by f32(n).
 */
export interface PoolParams {
  readonly kind: 'max' | 'average';
  /** max: the output holds codes where the input does. */
  readonly input: Storage;
  readonly output: { readonly storage: 'f32' } | { readonly storage: CodeStorage; readonly rounding: Rounding };
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** Element strides of the source between pixels and rows. */
  readonly source: PixelStrides;
  readonly outHeight: number;
  readonly outWidth: number;
  readonly target: PixelStrides;
  /** [y, x]. */
  readonly window: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly dilation: readonly [number, number];
  /** [top, left, bottom, right]; bottom and right matter only for `countIncludePad`. */
  readonly pads: readonly [number, number, number, number];
  /** average: n counts the padding (not what lies beyond it: ceil mode). */
  readonly countIncludePad: boolean;
  /** max of codes: they are clamped to lo and hi. */
  readonly clamp: boolean;
}

/** Element strides of an NHWC image whose channels are contiguous. */
export interface PixelStrides {
  readonly pix: number;
  readonly row: number;
}

const f32 = Math.fround;

/** The elements of one window in order of (ky, kx), for the channel at `offset`. */
function* windowValues(p: PoolParams, y: WindowGroup, x: WindowGroup): Generator<number> {
  for (let i = 0; i < y.count; i++)
    for (let j = 0; j < x.count; j++)
      yield (y.start + i * p.dilation[0]) * p.source.row + (x.start + j * p.dilation[1]) * p.source.pix;
}

/** One group per output. */
const singles = (groups: readonly WindowGroup[], stride: number): WindowGroup[] =>
  groups.flatMap((g) =>
    Array.from({ length: g.outputs }, (_, i) => ({ ...g, outputs: 1, start: g.start + i * stride })),
  );

/** The value of one output before it is stored. */
function poolValue(p: PoolParams, values: readonly number[], counted: number, scale: number): number {
  if (p.kind === 'max') return values.reduce((m, v) => (m < v ? v : m), Number.NEGATIVE_INFINITY);
  if (holdsCodes(p.input)) return f32(f32(values.reduce((sum, v) => sum + v, 0)) * scale);
  return f32(values.reduce((sum, v) => f32(sum + v), 0) / counted);
}

function reference(p: PoolParams, memory: ArrayBuffer, args: readonly number[]): void {
  const [source, target] = [elementsOf(memory, p.input), elementsOf(memory, p.output.storage)];
  const s0 = args[0]! / STORAGE_BYTES[p.input];
  const t0 = args[1]! / STORAGE_BYTES[p.output.storage];
  const scaled = p.kind === 'average' && holdsCodes(p.input);
  const table = scaled ? new Float32Array(memory, args[2]!) : null;
  const [lo, hi] = args.slice(scaled ? 3 : 2);
  const rounding = p.output.storage !== 'f32' ? p.output.rounding : null;
  singles(windowGroups(p, 0), p.stride[0]).forEach((y, oy) => {
    singles(windowGroups(p, 1), p.stride[1]).forEach((x, ox) => {
      const offsets = [...windowValues(p, y, x)];
      const counted = y.counted * x.counted;
      const scale = table ? table[counted]! : 1;
      for (let c = 0; c < p.channels; c++) {
        const v = poolValue(
          p,
          offsets.map((o) => source[s0 + o + c]!),
          counted,
          scale,
        );
        const limited = rounding !== null && lo !== undefined ? roundToCode(v, rounding, lo, hi!) : v;
        target[t0 + oy * p.target.row + ox * p.target.pix + c] = limited;
      }
    });
  });
}

/** What an element of a window costs, in multiply-accumulates of a matrix product. */
const TAP_WORK = 4;
/** Channels that stay together. */
const NEIGHBOURS = 64;

/** Rows `first` to `first + count` of the output: the part of the image under their windows, and the padding over it. */
function rowsOf(p: PoolParams, first: number, count: number): SplitPart<PoolParams> {
  const [stride] = p.stride;
  const start = first * stride - p.pads[0];
  const [skipped, above] = [Math.max(0, start), Math.max(0, -start)];
  const left = p.height - skipped;
  const reached = (count - 1) * stride + (p.window[0] - 1) * p.dilation[0] + 1 - above;
  const inside = reached <= left;
  const pads = [above, p.pads[1], inside ? 0 : p.pads[2], p.pads[3]] as const;
  return {
    params: { ...p, outHeight: count, height: inside ? reached : left, pads },
    offsets: [skipped * p.source.row * STORAGE_BYTES[p.input], first * p.target.row * STORAGE_BYTES[p.output.storage]],
  };
}

/** Parts are runs of rows, or of channels where there are more of these than of rows. */
function split(p: PoolParams): Split<PoolParams> {
  const work = TAP_WORK * p.outHeight * p.outWidth * p.channels * p.window[0] * p.window[1];
  const units = Math.ceil(p.channels / NEIGHBOURS);
  if (p.outHeight >= units) return { work, units: p.outHeight, part: (first, count) => rowsOf(p, first, count) };
  return {
    work,
    units,
    part: (first, count) => ({
      params: { ...p, channels: Math.min(count * NEIGHBOURS, p.channels - first * NEIGHBOURS) },
      offsets: [p.input, p.output.storage].map((storage) => first * NEIGHBOURS * STORAGE_BYTES[storage]),
    }),
  };
}

/** Max and average pooling; see `PoolParams`. */
export const poolKernel: KernelDef<PoolParams> = {
  name: (p) => `${p.input}-${p.kind}pool-${p.window.join('x')}-${p.output.storage}-simd`,
  signature: (p) => {
    const table = p.kind === 'average' && holdsCodes(p.input);
    const bounds = holdsCodes(p.output.storage) && (p.kind === 'average' || p.clamp);
    return { params: Array.from({ length: 2 + (table ? 1 : 0) + (bounds ? 2 : 0) }, () => 'i32' as const) };
  },
  emit: emitPool,
  reference,
  split,
};
