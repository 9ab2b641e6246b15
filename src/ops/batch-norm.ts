import { sizeOf } from '../ir/type.js';
import type { OnnxImporter } from './import-context.js';
import { defineOp } from './op.js';
import { realTypeOf, show, tensorAt } from './shapes.js';

type BatchNormAttrs = { readonly epsilon: number };

const importBatchNorm: OnnxImporter = (context) => {
  if (context.attrs.int('training_mode', 0) !== 0 || context.outputCount > 1)
    context.unsupported('BatchNormalization in training mode', 'Export the model for inference.');
  if (context.attrs.int('spatial', 1) === 0) context.unsupported('BatchNormalization with spatial = 0');
  const epsilon = Math.fround(context.attrs.float('epsilon', 1e-5));
  return context.add(
    'batch_norm',
    { epsilon },
    [0, 1, 2, 3, 4].map((i) => context.input(i)),
  );
};

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
  onnx: { BatchNormalization: importBatchNorm },
});
