import type { Attrs } from '../../ir/graph.js';
import type { Rounding } from '../../ir/type.js';
import type { Activation } from '../../quant/activation.js';
import { type KernelDef, type Storage } from '../kernel.js';

/**
 * Unary maps over a strided nest: target[i] = op(source[i]).
 *
 * Arguments: [source, target, ...op arguments], addresses in bytes. Op arguments by `op.kind`:
 *
 * | kind | storage | arguments |
 * |---|---|---|
 * | copy | i16 -> i16, f32 -> f32 | |
 * | quantize | f32 -> i16 | scale f32, lo i32, hi i32: clamp(round(f32(x / scale)), lo, hi), NaN becomes lo |
 * | dequantize | i16 -> f32 | scale f32: f32(f32(q) * scale) |
 * | requantize | i16 -> i16 | m f32, lo i32, hi i32: clamp(round(f32(f32(q) * m)), lo, hi) |
 * | clamp | i16 -> i16 | lo i32, hi i32 |
 * | table | i16 -> i16 | table address (i16 entries), offset i32: table[q + offset] |
 * | activation | f32 -> f32 | |
 * | unary | f32 -> f32 | |
 *
 * Codes are centred, so are the bounds and the entries of tables. A target may equal its source (same storage and
 * strides), but must not overlap it otherwise.
 */
export interface MapParams {
  /** Sizes of the nest, outermost first. */
  readonly dims: readonly number[];
  /** Element strides of the source per dimension; 0 repeats it. */
  readonly source: readonly number[];
  /** Element strides of the target per dimension, never 0 where the dimension is larger than 1. */
  readonly target: readonly number[];
  readonly op: MapOp;
}

export type MapOp =
  | { readonly kind: 'copy'; readonly storage: Storage }
  | { readonly kind: 'quantize'; readonly rounding: Rounding }
  | { readonly kind: 'dequantize' }
  | { readonly kind: 'requantize'; readonly rounding: Rounding }
  | { readonly kind: 'clamp' }
  | { readonly kind: 'table' }
  | { readonly kind: 'activation'; readonly activation: Activation & Attrs }
  | { readonly kind: 'unary'; readonly fn: UnaryFunction };

/** Float functions of `unary` maps. */
export type UnaryFunction =
  | 'exp' | 'log' | 'sqrt' | 'erf' | 'neg' | 'abs' | 'reciprocal' | 'floor' | 'ceil' | 'round' | 'softplus' | 'square';

export declare const mapKernel: KernelDef<MapParams>;
