import { ofX } from './import-paddle.js';
import { predicateOp } from './predicate.js';

export const logicalNot = predicateOp({
  name: 'logical_not',
  doc: 'whether x does not hold',
  fn: 'not',
  of: 'bool',
  paddle: { logical_not: ofX('logical_not') },
  onnx: { Not: (context) => context.add('logical_not', {}, [context.input(0)]) },
});
