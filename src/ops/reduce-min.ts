import { importReduce, reduceOp } from './reduce-shared.js';

export const reduceMin = reduceOp({
  name: 'reduce_min',
  doc: 'the least element over axes',
  kernel: 'min',
  start: Number.POSITIVE_INFINITY,
  combine: (a, b) => (b < a ? b : a),
  onnx: { ReduceMin: importReduce('reduce_min') },
});
