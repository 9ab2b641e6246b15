import { rowMajorStrides } from '../ir/tensor.js';
import { show } from './shapes.js';

/** The shape that two operands broadcast to. Source: numpy's rule, as in ONNX "Multidirectional Broadcasting". */
export function broadcastShape(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const da = a[i - rank + a.length] ?? 1;
    const db = b[i - rank + b.length] ?? 1;
    if (da !== db && da !== 1 && db !== 1) throw new Error(`shapes ${show(a)} and ${show(b)} do not broadcast`);
    return da === 1 ? db : da;
  });
}

/** Strides of an operand seen through a broadcast shape: 0 along dimensions that repeat. */
export function broadcastStrides(shape: readonly number[], to: readonly number[]): number[] {
  const own = rowMajorStrides(shape);
  return to.map((_, i) => {
    const d = i - to.length + shape.length;
    return d < 0 || shape[d] === 1 ? 0 : (own[d] as number);
  });
}

/**
 * For every element of `shape` in row-major order, the element at which a view with `strides` reads
 * (offset by `start`). Serves broadcasting, transposition, slicing.
 */
export function stridedIndices(shape: readonly number[], strides: readonly number[], start = 0): Int32Array {
  let indices = Int32Array.of(start);
  shape.forEach((extent, d) => {
    const step = strides[d] as number;
    const next = new Int32Array(indices.length * extent);
    for (let i = 0, at = 0; i < indices.length; i++)
      for (let j = 0; j < extent; j++) next[at++] = (indices[i] as number) + j * step;
    indices = next;
  });
  return indices;
}
