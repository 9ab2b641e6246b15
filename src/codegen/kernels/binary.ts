import type { Attrs } from '../../ir/graph.js';
import type { Rounding } from '../../ir/type.js';
import type { Activation } from '../../quant/activation.js';
import { type KernelDef, type Storage } from '../kernel.js';

/**
 * Elementwise operations of two operands with broadcasting over a strided nest.
 *
 * Arguments: [a, b, target (byte addresses), ...factors, ...output]:
 *
 * - factors, only where an operand is i16: add, sub, min, max, div: ma f32, mb f32 (a and b are multiplied by them, one
 *   that is f32 too); mul: m f32 (the product is multiplied by it).
 * - output, only for i16 output: [outputScale f32 where `usesOutputScale(params)`], lo i32, hi i32 (centred bounds).
 *
 * The value is v = f32(f32(a * ma) op f32(b * mb)), for mul f32(f32(a * b) * m), then the activation; without i16
 * operands there are no factors. For i16 output the factors are in output quanta unless `usesOutputScale`: then they
 * are in real units and the value is divided by outputScale. Then it is rounded and clamped; NaN becomes lo.
 *
 * The target may equal an operand with the same storage and strides.
 */
export interface BinaryParams {
  readonly op: BinaryOp;
  /** Sizes of the nest, outermost first. */
  readonly dims: readonly number[];
  readonly a: Operand;
  readonly b: Operand;
  /** Element strides of the target, never 0 where the dimension is larger than 1. */
  readonly target: readonly number[];
  /** For f32 output every activation; for i16 output only those that are not clamps. */
  readonly activation: (Activation & Attrs) | null;
  readonly output: { readonly storage: 'f32' } | { readonly storage: 'i16'; readonly rounding: Rounding };
}

export type BinaryOp = 'add' | 'sub' | 'mul' | 'div' | 'min' | 'max';

export interface Operand {
  readonly storage: Storage;
  /** Element strides per dimension; 0 broadcasts. */
  readonly strides: readonly number[];
}

/** Whether the factors are in real units and the value is divided by an outputScale argument before rounding. */
export const usesOutputScale = (p: BinaryParams): boolean =>
  p.output.storage === 'i16' &&
  (p.activation !== null || p.op === 'div' || (p.a.storage === 'f32' && p.b.storage === 'f32'));

export declare const binaryKernel: KernelDef<BinaryParams>;
