import type { InferInput } from '../ir/op.js';
import type { Tensor } from '../ir/tensor.js';
import { type Quant, sizeOf, type TensorType } from '../ir/type.js';
import { toReal } from '../quant/tensors.js';
import { broadcastShape, broadcastStrides, stridedIndices } from './broadcast.js';
import { centredCodes, isPerTensorCodes } from './codes.js';
import { finishSums } from './epilogue.js';
import type { OnnxImporter } from './import-context.js';
import { integerProductOp } from './import-integer.js';
import { importMatmul as importPaddleMatmul } from './import-paddle-product.js';
import { operatorForm } from './import-quantized.js';
import { lowerMatmul } from './lowering/matmul.js';
import { defineOp } from './op.js';
import { productSums, transposeMatrix } from './product-shared.js';
import { realTypeOf, show, tensorAt } from './shapes.js';

type MatmulAttrs = { readonly transX: boolean; readonly transY: boolean; readonly alpha: number };

/** Batch dimensions and the matrix sizes of alpha * op(x) * op(y), both of rank 2 or more. */
function geometry(attrs: MatmulAttrs, x: readonly number[], y: readonly number[]) {
  if (x.length < 2 || y.length < 2) throw new Error(`product of ${show(x)} and ${show(y)}: rank 2 or more expected`);
  const [m, k] = (attrs.transX ? [x.at(-1), x.at(-2)] : x.slice(-2)) as [number, number];
  const [k2, n] = (attrs.transY ? [y.at(-1), y.at(-2)] : y.slice(-2)) as [number, number];
  if (k !== k2) throw new Error(`inner dimensions of ${show(x)} and ${show(y)} differ`);
  return { m, k, n, batch: broadcastShape(x.slice(0, -2), y.slice(0, -2)) };
}

function infer(attrs: MatmulAttrs, inputs: readonly (InferInput | null)[]): TensorType[] {
  const { m, n, batch } = geometry(attrs, realTypeOf(inputs, 0).shape, realTypeOf(inputs, 1).shape);
  return [{ dtype: 'f32', shape: [...batch, m, n] }];
}

/** The matrices of an operand, one start per batch element. */
const starts = (shape: readonly number[], batch: readonly number[]): Int32Array =>
  stridedIndices(batch, broadcastStrides(shape.slice(0, -2), batch));

/** The products in float64, which is exact for codes. */
function sums(attrs: MatmulAttrs, x: Tensor, y: Tensor, of: (t: Tensor) => Float64Array) {
  const { m, k, n, batch } = geometry(attrs, x.type.shape, y.type.shape);
  const out = new Float64Array(sizeOf(batch) * m * n);
  const [xs, ys] = [starts(x.type.shape, batch), starts(y.type.shape, batch)];
  const [xd, yd] = [of(x), of(y)];
  for (let b = 0; b < xs.length; b++) {
    const [xb, yb] = [(xs[b] as number) * m * k, (ys[b] as number) * k * n];
    const [a, w] = [xd.subarray(xb, xb + m * k), yd.subarray(yb, yb + k * n)];
    const left = attrs.transX ? transposeMatrix(a, k, m) : a;
    out.set(productSums(left, attrs.transY ? w : transposeMatrix(w, k, n), m, k, n), b * m * n);
  }
  return { out, shape: [...batch, m, n] };
}

function reference(attrs: MatmulAttrs, inputs: readonly (Tensor | null)[]): Tensor[] {
  const { out, shape } = sums(attrs, tensorAt(inputs, 0), tensorAt(inputs, 1), (t) =>
    Float64Array.from(t.data as Float32Array),
  );
  return [{ type: { dtype: 'f32', shape }, data: Float32Array.from(out, (v) => v * attrs.alpha) }];
}

/** The product of codes; without codes on both operands, the float reference on their real values. */
function integer(attrs: MatmulAttrs, inputs: readonly (Tensor | null)[], output: TensorType): Tensor {
  const [x, y] = [tensorAt(inputs, 0), tensorAt(inputs, 1)];
  if (attrs.alpha !== 1 || !isPerTensorCodes(x.type) || !isPerTensorCodes(y.type))
    return reference(
      attrs,
      inputs.map((t) => t && toReal(t)),
    )[0] as Tensor;
  const { out } = sums(attrs, x, y, centredCodes);
  const end = { channels: 1, inner: out.length, bias: null, residual: null, activation: null };
  return finishSums(out, end, x.type.quant as Quant, y.type.quant as Quant, output);
}

/** ONNX MatMul: a matrix as second operand gives `mul`; vectors become matrices and back. */
const importMatMul: OnnxImporter = (context) => {
  const [x, y] = [context.input(0), context.input(1)];
  const [xs, ys] = [x.type.shape, y.type.shape];
  const reshape = (v: typeof x, shape: number[]): typeof x => context.add('reshape2', { shape }, [v]);
  if (xs.length === 0 || ys.length === 0) throw new Error('MatMul of a scalar');
  if (ys.length === 2) return context.add('mul', { transposeWeights: false, activation: null }, [x, y]);
  const attrs = { transX: false, transY: false, alpha: 1 };
  const a = xs.length === 1 ? reshape(x, [1, xs[0] as number]) : x;
  const b = ys.length === 1 ? reshape(y, [ys[0] as number, 1]) : y;
  const product = context.add('matmul', attrs, [a, b]);
  const shape = [...product.type.shape];
  if (ys.length === 1) shape.splice(shape.length - 1, 1);
  if (xs.length === 1) shape.splice(shape.length - (ys.length === 1 ? 1 : 2), 1);
  return shape.length === product.type.shape.length ? product : reshape(product, shape);
};

/** ONNX QLinearMatMul: scales of the second operand may run along its columns. */
const importQLinearMatMul = operatorForm(
  {
    operands: [
      { codes: 0, scale: 1, zero: 2, axis: -2 },
      { codes: 3, scale: 4, zero: 5, axis: -1 },
    ],
    result: { scale: 6, zero: 7 },
  },
  importMatMul,
);

export const matmul = defineOp<MatmulAttrs>({
  name: 'matmul',
  doc: 'alpha * op(x) * op(y) over the last two dimensions, the others broadcast; both operands are activations',
  inputs: [2, 2],
  quant: 'requantizes',
  lower: lowerMatmul,
  infer,
  reference,
  integer,
  macs: ({ transX }, inputs, output) => sizeOf(output.shape) * (inputs[0]?.shape.at(transX ? -2 : -1) ?? 1),
  paddle: { matmul: importPaddleMatmul, matmul_v2: importPaddleMatmul, bmm: importPaddleMatmul },
  onnx: { MatMul: importMatMul, MatMulInteger: integerProductOp(-1, importMatMul), QLinearMatMul: importQLinearMatMul },
});
