import type { Value } from '../ir/graph.js';
import { f32 } from '../ir/tensor.js';
import { sizeOf } from '../ir/type.js';
import type { PaddleContext, PaddleImporter } from './import-context.js';
import { binary, fusedActivation, reshape, tail } from './import-paddle.js';
import { productOfCodes } from './import-paddle-fake.js';
import { show } from './shapes.js';

/** X with its last two dimensions exchanged. */
function transposed(context: PaddleContext, x: Value): Value {
  const perm = x.type.shape.map((_, d) => d);
  const last = perm.length - 1;
  [perm[last], perm[last - 1]] = [last - 1, last];
  return context.add('transpose2', { perm }, [x]);
}

const scaled = (context: PaddleContext, y: Value, alpha: number): Value =>
  alpha === 1 ? y : binary(context, 'elementwise_mul', y, context.literal('alpha', f32([], [alpha])));

/** Fused reshapes and transposes of oneDNN's passes change what the operands mean. */
function refuseFused(context: PaddleContext): void {
  const fused = [
    'fused_reshape_X',
    'fused_reshape_Y',
    'fused_transpose_X',
    'fused_transpose_Y',
    'fused_reshape_Out',
    'fused_transpose_Out',
  ];
  const found = fused.find((name) => context.attrs.has(name) && context.attrs.ints(name).length > 0);
  if (found) context.unsupported(`matmul with ${found}`, 'Use the model from before the fusions for oneDNN.');
}

/** alpha * op(X) * op(Y); a matrix as second operand gives `mul`, vectors become matrices and back. */
function product(context: PaddleContext, x: Value, y: Value, alpha: number): Value {
  const [xs, ys] = [x.type.shape, y.type.shape];
  if (xs.length === 0 || ys.length === 0) throw new Error('a product of a scalar');
  if (ys.length === 2) {
    const w = { transposeWeights: false, activation: null };
    const apply = (a: Value, b: Value): Value => context.add('mul', w, [a, b]);
    return scaled(
      context,
      productOfCodes(context, x, y, (v) => v.type.shape.length - 1, apply),
      alpha,
    );
  }
  const a = xs.length === 1 ? reshape(context, x, [1, xs[0] as number]) : x;
  const b = ys.length === 1 ? reshape(context, y, [ys[0] as number, 1]) : y;
  // The factor is an op of its own: it has a kernel, and the product may be int8.
  const plain = context.add('matmul', { transX: false, transY: false, alpha: 1 }, [a, b]);
  const result = scaled(context, plain, alpha);
  const shape = [...result.type.shape];
  if (ys.length === 1) shape.pop();
  if (xs.length === 1) shape.splice(shape.length - (ys.length === 1 ? 1 : 2), 1);
  return reshape(context, result, shape);
}

/** Paddle matmul and matmul_v2, whose attributes have other names, and bmm, which has none. */
export const importMatmul: PaddleImporter = (context) => {
  const { attrs } = context;
  refuseFused(context);
  const [x, y] = [context.input('X'), context.input('Y')];
  const flag = (first: string, second: string): boolean => attrs.bool(first, attrs.bool(second, false));
  const turned = (v: Value, turn: boolean): Value => (turn && v.type.shape.length > 1 ? transposed(context, v) : v);
  const a = turned(x, flag('transpose_X', 'trans_x'));
  if (y.type.shape.length === 2 && flag('transpose_Y', 'trans_y') && !context.codesOf(x)) {
    const w = { transposeWeights: true, activation: null };
    return scaled(context, context.add('mul', w, [a, y]), attrs.float('alpha', 1));
  }
  return product(context, a, turned(y, flag('transpose_Y', 'trans_y')), attrs.float('alpha', 1));
};

/** X as a matrix: its first `columns` dimensions are the rows. */
const flattened = (context: PaddleContext, x: Value, columns: number): Value =>
  reshape(context, x, [sizeOf(x.type.shape.slice(0, columns)), tail(x.type.shape, columns)]);

/** Paddle mul: both operands are flattened to matrices; the result has the dimensions that were not multiplied. */
export const importMul: PaddleImporter = (context) => {
  const [xn, yn] = [context.attrs.int('x_num_col_dims', 1), context.attrs.int('y_num_col_dims', 1)];
  const [x, y] = [context.input('X'), context.input('Y')];
  const codes = context.codesOf(x);
  const rows = flattened(context, x, xn);
  // The dimensions of codes as plain numbers change with those of the reals behind them.
  if (codes && rows !== x) context.noteCodes(rows, { ...codes, real: flattened(context, codes.real, xn) });
  const w = flattened(context, y, yn);
  const apply = (a: Value, b: Value): Value =>
    context.add('mul', { transposeWeights: false, activation: null }, [a, b]);
  const product = productOfCodes(context, rows, w, () => 1, apply);
  const shape = [...x.type.shape.slice(0, xn), ...y.type.shape.slice(yn)];
  const result = reshape(context, product, shape);
  const known = context.codesOf(product);
  if (known && result !== product) context.noteCodes(result, { ...known, real: reshape(context, known.real, shape) });
  return result;
};

/** Paddle fc: X flattened to a matrix, times W[K, N], plus a bias, then the activation. */
export const importFc: PaddleImporter = (context) => {
  const { attrs } = context;
  const columns = attrs.int('in_num_col_dims', 1);
  const [x, w, bias] = [context.input('Input'), context.input('W'), context.optional('Bias')];
  if (attrs.bool('padding_weights', false)) context.unsupported('fc with padding_weights');
  if (w.type.shape.length !== 2) throw new Error(`weights of shape ${show(w.type.shape)}`);
  const n = w.type.shape[1] as number;
  const rows = flattened(context, x, columns);
  const b = bias ? [reshape(context, bias, [n])] : [];
  const y = context.add(b.length > 0 ? 'fc' : 'mul', { transposeWeights: false, activation: null }, [rows, w, ...b]);
  const shaped = reshape(context, y, [...x.type.shape.slice(0, columns), n]);
  return fusedActivation(context, shaped, attrs.string('activation_type', ''));
};
