import type { InferInput } from '../ir/op.js';
import { allocate, numbers, type Tensor } from '../ir/tensor.js';
import type { OnnxImporter } from './import-context.js';
import { importRange as importPaddleRange } from './import-paddle-shape.js';
import { rangeOfComputed } from './import-stated.js';
import { defineOp } from './op.js';
import { tensorAt } from './shapes.js';

const MAX_ELEMENTS = 2 ** 26;

/** start, start + step, ... before `limit`. Source: ONNX Range. */
function rangeOf(start: Tensor, limit: Tensor, step: Tensor): Tensor {
  const [a, b, s] = [start, limit, step].map((t) => numbers(t)[0] ?? Number.NaN) as [number, number, number];
  const count = Math.max(0, Math.ceil((b - a) / s));
  if (!(count <= MAX_ELEMENTS)) throw new Error(`a range from ${a} to ${b} by ${s}`);
  const { dtype } = start.type;
  const data = allocate(dtype, count);
  for (let i = 0; i < count; i++) data[i] = (data instanceof BigInt64Array ? BigInt(a + i * s) : a + i * s) as never;
  return { type: { dtype, shape: [count] }, data };
}

const importRange: OnnxImporter = (context) => {
  const computed = [0, 1, 2].find((i) => context.isComputed(i));
  if (computed !== undefined) return rangeOfComputed(context, computed);
  return context.literal('range', rangeOf(context.constant(0), context.constant(1), context.constant(2)));
};

const constantAt = (inputs: readonly (InferInput | null)[], i: number): Tensor => {
  const data = inputs[i]?.data;
  if (!data) throw new Error('start, limit and step must be constant');
  return data;
};

export const range = defineOp({
  name: 'range',
  doc: 'start, start + step, ... before limit; the three are constants',
  inputs: [3, 3],
  quant: 'float-only',
  infer: (_attrs, inputs) => [rangeOf(constantAt(inputs, 0), constantAt(inputs, 1), constantAt(inputs, 2)).type],
  reference: (_attrs, inputs) => [rangeOf(tensorAt(inputs, 0), tensorAt(inputs, 1), tensorAt(inputs, 2))],
  paddle: { range: importPaddleRange },
  onnx: { Range: importRange },
});
