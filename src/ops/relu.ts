import { onReals } from './import-helpers.js';
import { activationOp } from './unary.js';

export const relu = activationOp({
  name: 'relu',
  doc: 'max(x, 0)',
  activation: () => ({ kind: 'relu' }),
  onnx: { Relu: (context) => onReals(context, (x) => context.add('relu', {}, [x])) },
});
