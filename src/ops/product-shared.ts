import type { InferInput } from '../ir/op.js';
import type { Tensor } from '../ir/tensor.js';
import { type Quant, sizeOf, type TensorType } from '../ir/type.js';
import type { Activation } from '../quant/activation.js';
import { toReal } from '../quant/tensors.js';
import { centredCodes } from './codes.js';
import { hasIntegerSums } from './conv-shared.js';
import { type Epilogue, finishReals, finishSums } from './epilogue.js';
import { asInputs, realTypeOf, show, tensorAt } from './shapes.js';

/** Attributes of mul and fc: weights are [K, N], or [N, K] where transposed. */
export type ProductAttrs = { readonly transposeWeights: boolean; readonly activation: Activation | null };

type Inputs = readonly (Tensor | null)[];

/** x [..., K] * w [K, N] or [N, K] (+ bias [N]) -> [..., N]. */
export function inferProduct(attrs: ProductAttrs, inputs: readonly (InferInput | null)[]): TensorType[] {
  const [x, w] = [realTypeOf(inputs, 0).shape, realTypeOf(inputs, 1).shape];
  if (x.length < 1 || w.length !== 2) throw new Error(`product of ${show(x)} with ${show(w)}: a matrix expected`);
  const [k, n] = (attrs.transposeWeights ? [w[1], w[0]] : w) as [number, number];
  if (x.at(-1) !== k) throw new Error(`inner dimensions of ${show(x)} and ${show(w)} differ`);
  const bias = inputs[2]?.type.shape;
  if (bias && (bias.length !== 1 || bias[0] !== n)) throw new Error(`bias ${show(bias)} for ${n} columns`);
  return [{ dtype: 'f32', shape: [...x.slice(0, -1), n] }];
}

/** Products of x [..., K] with weights. */
export const productMacs = (_: ProductAttrs, inputs: readonly (TensorType | null)[], output: TensorType): number =>
  sizeOf(output.shape) * (inputs[0]?.shape.at(-1) ?? 1);

/** a [rows, inner] * b [cols, inner] transposed -> [rows, cols], in float64: exact for codes. */
export function productSums(a: Float64Array, b: Float64Array, rows: number, inner: number, cols: number): Float64Array {
  const out = new Float64Array(rows * cols);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < cols; j++) {
      let sum = 0;
      for (let k = 0; k < inner; k++) sum += (a[i * inner + k] as number) * (b[j * inner + k] as number);
      out[i * cols + j] = sum;
    }
  return out;
}

/** A [rows, cols] matrix transposed. */
export function transposeMatrix(m: Float64Array, rows: number, cols: number): Float64Array {
  const out = new Float64Array(m.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < cols; j++) out[j * rows + i] = m[i * cols + j] as number;
  return out;
}

function sums(attrs: ProductAttrs, x: Float64Array, w: Float64Array, ws: readonly number[]): Float64Array {
  const [first, second] = ws as [number, number];
  const [k, n] = attrs.transposeWeights ? [second, first] : [first, second];
  const rows = k === 0 ? 0 : x.length / k;
  return productSums(x, attrs.transposeWeights ? w : transposeMatrix(w, k, n), rows, k, n);
}

const epilogueOf = (attrs: ProductAttrs, inputs: Inputs, channels: number): Epilogue => ({
  channels,
  inner: 1,
  bias: inputs[2] ?? null,
  residual: null,
  activation: attrs.activation ?? null,
});

/** The float reference of a matrix product with weights. */
export function referenceProduct(attrs: ProductAttrs, inputs: Inputs): Tensor[] {
  const [x, w] = [tensorAt(inputs, 0), tensorAt(inputs, 1)];
  const shape = inferProduct(attrs, asInputs(inputs))[0]?.shape as readonly number[];
  const [xd, wd] = [new Float64Array(x.data as Float32Array), new Float64Array(w.data as Float32Array)];
  const acc = sizeOf(x.type.shape) === 0 ? new Float64Array(sizeOf(shape)) : sums(attrs, xd, wd, w.type.shape);
  return [finishReals(acc, epilogueOf(attrs, inputs, shape.at(-1) as number), shape)];
}

/** The product on codes; without codes on both operands, the float reference on their real values. */
export function integerProduct(attrs: ProductAttrs, inputs: Inputs, output: TensorType): Tensor {
  const [x, w] = [tensorAt(inputs, 0), tensorAt(inputs, 1)];
  if (!hasIntegerSums(x.type, w.type, output, attrs.transposeWeights ? 0 : 1))
    return referenceProduct(
      attrs,
      inputs.map((t) => t && toReal(t)),
    )[0] as Tensor;
  const acc = sums(attrs, centredCodes(x), centredCodes(w), w.type.shape);
  const epilogue = epilogueOf(attrs, inputs, output.shape.at(-1) as number);
  return finishSums(acc, epilogue, x.type.quant as Quant, w.type.quant as Quant, output);
}
