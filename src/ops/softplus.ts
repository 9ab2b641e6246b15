import type { PaddleImporter } from './import-context.js';
import { binary, scalarLike } from './import-paddle.js';
import { activationOp } from './unary.js';

/** Paddle softplus: log(1 + exp(beta * x)) / beta, and x itself above threshold / beta, where float32 sees no difference. */
const importPaddleSoftplus: PaddleImporter = (context) => {
  const x = context.input('X');
  const beta = context.attrs.float('beta', 1);
  if (context.attrs.float('threshold', 20) < 15) context.unsupported('softplus with a threshold below 15');
  if (beta === 1) return context.add('softplus', {}, [x]);
  const y = context.add('softplus', {}, [binary(context, 'elementwise_mul', x, scalarLike(context, x, beta))]);
  return binary(context, 'elementwise_div', y, scalarLike(context, x, beta));
};

export const softplus = activationOp({
  name: 'softplus',
  doc: 'log(1 + e^x)',
  activation: () => ({ kind: 'softplus' }),
  paddle: { softplus: importPaddleSoftplus },
  onnx: {
    Softplus: (context) => context.add('softplus', {}, [context.input(0)]),
  },
});
