import { importReduce, reduceOp } from './reduce-shared.js';

export const reduceProd = reduceOp({
  name: 'reduce_prod',
  doc: 'the product over axes',
  kernel: 'prod',
  start: 1,
  combine: (a, b) => a * b,
  onnx: { ReduceProd: importReduce('reduce_prod') },
});
