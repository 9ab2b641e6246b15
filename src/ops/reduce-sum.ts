import type { Value } from '../ir/graph.js';
import type { ImportContext, OnnxImporter } from './import-context.js';
import { importReduce, overAxes, type ReduceAttrs, reduceOp } from './reduce-shared.js';

const unary =
  (op: string) =>
  (context: ImportContext, x: Value): Value =>
    context.add(op, {}, [x]);

const importLogSumExp: OnnxImporter = (context) => overAxes(context, (attrs) => logSumExp(context, attrs));

/** The logarithm of a sum of exponentials, with the greatest element taken out first, so that none overflows. */
function logSumExp(context: ImportContext, attrs: ReduceAttrs | null): Value {
  const x = context.input(0);
  if (!attrs) return context.add('assign', {}, [x]);
  const pair = (op: string, a: Value, b: Value): Value => context.add(op, { activation: null }, [a, b]);
  const max = context.add('reduce_max', { ...attrs, keepDims: true }, [x]);
  const powers = context.add('exp', {}, [pair('elementwise_sub', x, max)]);
  const log = context.add('log', {}, [context.add('reduce_sum', { ...attrs }, [powers])]);
  const flat = attrs.keepDims ? max : context.add('reshape2', { shape: log.type.shape }, [max]);
  return pair('elementwise_add', log, flat);
}

export const reduceSum = reduceOp({
  name: 'reduce_sum',
  doc: 'the sum over axes; also norms, of other functions of the elements',
  kernel: 'sum',
  start: 0,
  combine: (a, b) => a + b,
  onnx: {
    ReduceSum: importReduce('reduce_sum'),
    ReduceL1: importReduce('reduce_sum', unary('abs')),
    ReduceL2: importReduce('reduce_sum', unary('square'), unary('sqrt')),
    ReduceSumSquare: importReduce('reduce_sum', unary('square')),
    ReduceLogSum: importReduce('reduce_sum', undefined, unary('log')),
    ReduceLogSumExp: importLogSumExp,
  },
});
