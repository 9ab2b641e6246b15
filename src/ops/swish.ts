import { activationOp } from './unary.js';

export const swish = activationOp({
  name: 'swish',
  doc: 'x * sigmoid(x); made from a product with a sigmoid',
  activation: () => ({ kind: 'swish' }),
});
