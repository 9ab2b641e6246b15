import { activationOp } from './unary.js';

export const relu6 = activationOp({
  name: 'relu6',
  doc: 'min(max(x, 0), 6); made from clip',
  activation: () => ({ kind: 'relu6' }),
});
