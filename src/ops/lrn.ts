import { sizeOf } from '../ir/type.js';
import type { OnnxImporter } from './import-context.js';
import { lowerLrn } from './lowering/lrn.js';
import { defineOp } from './op.js';
import { realTypeOf, tensorAt } from './shapes.js';

/** `size` is the number of channels of a window. */
export type LrnAttrs = {
  readonly alpha: number;
  readonly beta: number;
  readonly bias: number;
  readonly size: number;
};

const importLrn: OnnxImporter = (context) => {
  const { attrs } = context;
  const float = (name: string, fallback: number): number => Math.fround(attrs.float(name, fallback));
  const numbers = { alpha: float('alpha', 1e-4), beta: float('beta', 0.75), bias: float('bias', 1) };
  return context.add('lrn', { ...numbers, size: attrs.int('size') }, [context.input(0)]);
};

export const lrn = defineOp<LrnAttrs>({
  name: 'lrn',
  doc: 'x / (bias + alpha / size * sum of squares over a window of channels)^beta',
  inputs: [1, 1],
  quant: 'float-only',
  lower: lowerLrn,
  infer(attrs, inputs) {
    const { shape } = realTypeOf(inputs, 0);
    if (shape.length < 2) throw new Error(`channels of a tensor of rank ${shape.length}`);
    if (!Number.isInteger(attrs.size) || attrs.size < 1 || attrs.size > 2 ** 16)
      throw new Error(`a window of ${attrs.size} channels`);
    return [{ dtype: 'f32', shape }];
  },
  reference(attrs, inputs) {
    const { type, data: x } = tensorAt(inputs, 0);
    const channels = type.shape[1] as number;
    const inner = sizeOf(type.shape.slice(2));
    const before = Math.floor((attrs.size - 1) / 2);
    const data = Float32Array.from(x as Float32Array, (v, i) => {
      const c = Math.floor(i / inner) % channels;
      let sum = 0;
      for (let k = Math.max(0, c - before); k <= Math.min(channels - 1, c - before + attrs.size - 1); k++)
        sum += (x[i + (k - c) * inner] as number) ** 2;
      return v / (attrs.bias + (attrs.alpha / attrs.size) * sum) ** attrs.beta;
    });
    return [{ type: { dtype: 'f32', shape: type.shape }, data }];
  },
  onnx: { LRN: importLrn },
});
