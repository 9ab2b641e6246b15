import type { Value } from '../ir/graph.js';
import { sizeOf } from '../ir/type.js';
import { exp } from '../quant/math.js';
import type { ImportContext, OnnxImporter } from './import-context.js';
import { importSoftmax as importPaddleSoftmax } from './import-paddle-shape.js';
import { lowerSoftmax } from './lowering/reduction.js';
import { defineOp } from './op.js';
import { normalizeAxis, realTypeOf, tensorAt } from './shapes.js';

type SoftmaxAttrs = { readonly axis: number };

/** ONNX Softmax and the like; before opset 13 they run over all dimensions from `axis` on: over rows of a matrix. */
const importRows =
  (apply: (context: ImportContext, x: Value, axis: number) => Value): OnnxImporter =>
  (context) => {
    const x = context.input(0);
    const { shape } = x.type;
    const axis = normalizeAxis(context.attrs.int('axis', context.opset < 13 ? 1 : -1), shape.length);
    if (context.opset >= 13 || sizeOf(shape.slice(axis + 1)) === 1) return apply(context, x, axis);
    const matrix = [sizeOf(shape.slice(0, axis)), sizeOf(shape.slice(axis))];
    const flat = context.add('reshape2', { shape: matrix }, [x]);
    return context.add('reshape2', { shape: [...shape] }, [apply(context, flat, 1)]);
  };

/** The logarithm of a softmax: x - max - log(sum(exp(x - max))). */
function logSoftmax(context: ImportContext, x: Value, axis: number): Value {
  const attrs = { axes: [axis], keepDims: true };
  const minus = (a: Value, b: Value): Value => context.add('elementwise_sub', { activation: null }, [a, b]);
  const shifted = minus(x, context.add('reduce_max', attrs, [x]));
  const sum = context.add('reduce_sum', attrs, [context.add('exp', {}, [shifted])]);
  return minus(shifted, context.add('log', {}, [sum]));
}

export const softmax = defineOp<SoftmaxAttrs>({
  name: 'softmax',
  doc: 'exp(x - max) / sum(exp(x - max)) along an axis',
  inputs: [1, 1],
  quant: 'float-only',
  lower: lowerSoftmax,
  infer(attrs, inputs) {
    const { shape } = realTypeOf(inputs, 0);
    normalizeAxis(attrs.axis, shape.length);
    return [{ dtype: 'f32', shape }];
  },
  reference(attrs, inputs) {
    const x = tensorAt(inputs, 0);
    const { shape } = x.type;
    const n = shape[attrs.axis] as number;
    const inner = sizeOf(shape.slice(attrs.axis + 1));
    const data = new Float32Array(x.data.length);
    for (let start = 0; start < data.length; start += n * inner)
      for (let i = start; i < start + inner; i++) softmaxLine(x.data as Float32Array, data, i, n, inner);
    return [{ type: { dtype: 'f32', shape }, data }];
  },
  paddle: { softmax: importPaddleSoftmax, log_softmax: importPaddleSoftmax },
  onnx: {
    Softmax: importRows((context, x, axis) => context.add('softmax', { axis }, [x])),
    LogSoftmax: importRows(logSoftmax),
  },
});

function softmaxLine(x: Float32Array, y: Float32Array, start: number, n: number, step: number): void {
  let max = Number.NEGATIVE_INFINITY;
  for (let k = 0; k < n; k++) max = Math.max(max, x[start + k * step] as number);
  let sum = 0;
  for (let k = 0; k < n; k++) {
    const e = exp((x[start + k * step] as number) - max);
    y[start + k * step] = e;
    sum += e;
  }
  for (let k = 0; k < n; k++) y[start + k * step] = (y[start + k * step] as number) / sum;
}
