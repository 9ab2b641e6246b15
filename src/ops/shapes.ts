import type { InferInput } from '../ir/op.js';
import type { Tensor } from '../ir/tensor.js';
import { type DType, isCodes, type TensorType } from '../ir/type.js';

/** The type of a required input; throws if it is absent. */
export function typeOf(inputs: readonly (InferInput | null)[], i: number): TensorType {
  const input = inputs[i];
  if (!input) throw new Error(`input ${i} is missing`);
  return input.type;
}

/** The type of a required input that must hold real numbers (or codes of them). */
export function realTypeOf(inputs: readonly (InferInput | null)[], i: number): TensorType {
  const type = typeOf(inputs, i);
  if (plainDtype(type) !== 'f32') throw new Error(`input ${i} has dtype ${type.dtype}, float expected`);
  return type;
}

/** Tensors as `infer` sees them. */
export const asInputs = (tensors: readonly (Tensor | null)[]): (InferInput | null)[] =>
  tensors.map((t) => t && { type: t.type, data: t });

/** A required input tensor. */
export function tensorAt(inputs: readonly (Tensor | null)[], i: number): Tensor {
  const input = inputs[i];
  if (!input) throw new Error(`input ${i} is missing`);
  return input;
}

/** The dtype in which an op sees an input: f32 for codes, which are real numbers to it. */
export const plainDtype = (type: TensorType): DType => (isCodes(type) ? 'f32' : type.dtype);

/** A type of the same dtype as an input's (as `plainDtype` sees it) with another shape. */
export const reshaped = (type: TensorType, shape: readonly number[]): TensorType => ({
  dtype: plainDtype(type),
  shape,
});

/** An axis in [0, rank), counted from the end where negative. Throws if it is outside. */
export function normalizeAxis(axis: number, rank: number): number {
  const a = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(a) || a < 0 || a >= rank) throw new Error(`axis ${axis} is outside of rank ${rank}`);
  return a;
}

/** Several axes, each in [0, rank), in ascending order. Throws on repetition. */
export function normalizeAxes(axes: readonly number[], rank: number): number[] {
  const list = axes.map((a) => normalizeAxis(a, rank)).sort((a, b) => a - b);
  if (new Set(list).size !== list.length) throw new Error(`axes [${axes}] name one dimension twice`);
  return list;
}

/** A shape as it is shown in messages. */
export const show = (shape: readonly number[]): string => `[${shape.join(', ')}]`;
