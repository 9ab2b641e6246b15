import type { Value } from '../ir/graph.js';
import { f32 } from '../ir/tensor.js';
import { sizeOf } from '../ir/type.js';
import type { ImportContext, OnnxImporter } from './import-context.js';
import { importBatchNorm as importPaddleBatchNorm } from './import-paddle-normalize.js';
import { defineOp } from './op.js';
import { realTypeOf, show, tensorAt } from './shapes.js';

type BatchNormAttrs = { readonly epsilon: number };

const importBatchNorm: OnnxImporter = (context) => {
  const training =
    context.opset < 7 ? context.attrs.int('is_test', 0) === 0 : context.attrs.int('training_mode', 0) !== 0;
  if (training || context.outputCount > 1)
    context.unsupported('BatchNormalization in training mode', 'Export the model for inference.');
  if (context.attrs.int('spatial', 1) === 0) context.unsupported('BatchNormalization with spatial = 0');
  const epsilon = Math.fround(context.attrs.float('epsilon', 1e-5));
  if ([1, 2, 3, 4].some((i) => isComputed(context.input(i)))) return composed(context, epsilon);
  return context.add(
    'batch_norm',
    { epsilon },
    [0, 1, 2, 3, 4].map((i) => context.input(i)),
  );
};

/** Neither a constant nor codes of one. */
const isComputed = (v: Value): boolean => v.data === undefined;

/** With parameters that the network computes: the formula, op by op. */
function composed(context: ImportContext, epsilon: number): Value {
  const { shape } = context.input(0).type;
  const channel = (i: number): Value => {
    const v = context.input(i);
    if (shape.length <= 2) return v;
    return context.add('reshape2', { shape: [v.type.shape[0] as number, ...shape.slice(2).map(() => 1)] }, [v]);
  };
  const pair = (op: string, a: Value, b: Value): Value => context.add(op, { activation: null }, [a, b]);
  const [scale, bias, mean, variance] = [1, 2, 3, 4].map(channel) as [Value, Value, Value, Value];
  const raised = pair('elementwise_add', variance, context.literal('epsilon', f32([], [epsilon])));
  const factor = pair('elementwise_div', scale, context.add('sqrt', {}, [raised]));
  const centred = pair('elementwise_sub', context.input(0), mean);
  return pair('elementwise_add', pair('elementwise_mul', centred, factor), bias);
}

export const batchNorm = defineOp<BatchNormAttrs>({
  name: 'batch_norm',
  doc: '(x - mean) / sqrt(variance + epsilon) * scale + bias per channel; inputs x[N,C,...], scale, bias, mean, variance',
  inputs: [5, 5],
  quant: 'float-only',
  infer(_attrs, inputs) {
    const { shape } = realTypeOf(inputs, 0);
    const channels = shape.length === 1 ? 1 : shape[1];
    for (let i = 1; i < 5; i++) {
      const own = realTypeOf(inputs, i).shape;
      if (own.length !== 1 || own[0] !== channels) throw new Error(`parameter ${show(own)} for input ${show(shape)}`);
    }
    return [{ dtype: 'f32', shape }];
  },
  reference(attrs, inputs) {
    const [x, scale, bias, mean, variance] = [0, 1, 2, 3, 4].map((i) => tensorAt(inputs, i).data) as Float32Array[];
    const { shape } = tensorAt(inputs, 0).type;
    const channels = shape[1] ?? 1;
    const inner = sizeOf(shape.slice(2));
    const at = (list: Float32Array | undefined, i: number): number => list?.[i] as number;
    const data = new Float32Array(sizeOf(shape));
    for (let i = 0; i < data.length; i++) {
      const c = Math.floor(i / inner) % channels;
      const k = at(scale, c) / Math.sqrt(at(variance, c) + attrs.epsilon);
      data[i] = (at(x, i) - at(mean, c)) * k + at(bias, c);
    }
    return [{ type: { dtype: 'f32', shape }, data }];
  },
  paddle: { batch_norm: importPaddleBatchNorm, sync_batch_norm: importPaddleBatchNorm },
  onnx: { BatchNormalization: importBatchNorm },
});
