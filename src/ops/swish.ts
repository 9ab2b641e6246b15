import type { PaddleImporter } from './import-context.js';
import { binary, ofX, scalarLike } from './import-paddle.js';
import { activationOp } from './unary.js';

/** Paddle swish: x * sigmoid(beta * x). */
const importSwish: PaddleImporter = (context) => {
  const x = context.input('X');
  const beta = context.attrs.float('beta', 1);
  if (beta === 1) return context.add('swish', {}, [x]);
  const gate = context.add('sigmoid', {}, [binary(context, 'elementwise_mul', x, scalarLike(context, x, beta))]);
  return binary(context, 'elementwise_mul', x, gate);
};

export const swish = activationOp({
  name: 'swish',
  doc: 'x * sigmoid(x); made from a product with a sigmoid',
  activation: () => ({ kind: 'swish' }),
  paddle: { swish: importSwish, silu: ofX('swish') },
});
