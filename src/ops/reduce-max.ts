import { importReduce, reduceOp } from './reduce-shared.js';

export const reduceMax = reduceOp({
  name: 'reduce_max',
  doc: 'the greatest element over axes',
  kernel: 'max',
  start: Number.NEGATIVE_INFINITY,
  combine: (a, b) => (a < b ? b : a),
  onnx: { ReduceMax: importReduce('reduce_max') },
});
