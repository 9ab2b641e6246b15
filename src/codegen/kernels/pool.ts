import type { Rounding } from '../../ir/type.js';
import { type KernelDef, type Storage } from '../kernel.js';

/**
 * Max and average pooling of one NHWC image. Windows are clipped to the image; none may lie wholly outside of it.
 *
 * Arguments: [source, target (byte addresses of the first pixel, not of a halo), ...]:
 *
 * - max: i16 -> i16 keeps codes, with `clamp` lo i32, hi i32 follow; f32 -> f32 has none. NaN is ignored.
 * - average of i16: scale table address f32[maxCount + 1] indexed by the number n of counted elements; v = f32(f32(sum)
 *   * table[n]) with the exact int32 sum of centred codes; i16 output: lo i32, hi i32 follow and v is rounded and
 *   clamped; f32 output: v.
 * - average of f32 -> f32: the sum in order of (ky, kx), divided by f32(n).
 */
export interface PoolParams {
  readonly kind: 'max' | 'average';
  /** max: the output has the same storage. */
  readonly input: Storage;
  readonly output: { readonly storage: 'f32' } | { readonly storage: 'i16'; readonly rounding: Rounding };
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
  /** max of i16: the codes are clamped to lo and hi. */
  readonly clamp: boolean;
}

/** Element strides of an NHWC image whose channels are contiguous. */
export interface PixelStrides {
  readonly pix: number;
  readonly row: number;
}

export declare const poolKernel: KernelDef<PoolParams>;
