import { apply, combine, scalarOf } from './compose.js';
import type { OnnxImporter, PaddleImporter } from './import-context.js';
import { binary, ofX, scalarLike } from './import-paddle.js';
import { activationOp } from './unary.js';

/** Paddle swish: x * sigmoid(beta * x). */
const importPaddleSwish: PaddleImporter = (context) => {
  const x = context.input('X');
  const beta = context.attrs.float('beta', 1);
  if (beta === 1) return context.add('swish', {}, [x]);
  const gate = context.add('sigmoid', {}, [binary(context, 'elementwise_mul', x, scalarLike(context, x, beta))]);
  return binary(context, 'elementwise_mul', x, gate);
};

/** ONNX Swish: x * sigmoid(alpha * x). */
const importSwish: OnnxImporter = (context) => {
  const x = context.input(0);
  const alpha = context.attrs.float('alpha', 1);
  if (alpha === 1) return apply(context, 'swish', x);
  const gate = apply(context, 'sigmoid', combine(context, 'elementwise_mul', x, scalarOf(context, 'f32', alpha)));
  return combine(context, 'elementwise_mul', x, gate);
};

export const swish = activationOp({
  name: 'swish',
  doc: 'x * sigmoid(x); made from a product with a sigmoid',
  activation: () => ({ kind: 'swish' }),
  paddle: { swish: importPaddleSwish, silu: ofX('swish') },
  onnx: { Swish: importSwish },
});
