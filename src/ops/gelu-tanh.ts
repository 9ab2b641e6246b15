import { activationOp } from './unary.js';

export const geluTanh = activationOp({
  name: 'gelu_tanh',
  doc: 'x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3))) / 2; Gelu with approximate = tanh',
  activation: () => ({ kind: 'gelu_tanh' }),
});
