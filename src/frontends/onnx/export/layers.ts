import type { Attrs } from '../../../ir/graph.js';
import { allocate, type Tensor } from '../../../ir/tensor.js';
import { list, type NodeExport, type NodeExporter, withActivation } from './node-export.js';

const window = (attrs: Attrs): Record<string, readonly number[]> => ({
  strides: list(attrs, 'strides'),
  pads: list(attrs, 'pads'),
  dilations: list(attrs, 'dilations'),
});

/** A product with the residual that joined it. */
function withResidual(n: NodeExport, make: (output?: string) => string): void {
  withActivation(n, (output) => (n.has(3) ? n.w.node('Add', [make(), n.in(3)], {}, output) : make(output)));
}

const operands = (n: NodeExport): string[] => [0, 1, 2].flatMap((slot) => (n.has(slot) ? [n.in(slot)] : []));

const conv: NodeExporter = (n) =>
  withResidual(n, (output) =>
    n.w.node('Conv', operands(n), { ...window(n.attrs), group: n.attrs.groups as number }, output),
  );

const convTranspose: NodeExporter = (n) => {
  const attrs = { ...window(n.attrs), output_padding: list(n.attrs, 'outputPads'), group: n.attrs.groups as number };
  withResidual(n, (output) => n.w.node('ConvTranspose', operands(n), attrs, output));
};

/** Convolutions over three dimensions. */
const conv3d: NodeExporter = (n) => {
  const { transposed, groups } = n.attrs as { transposed: boolean; groups: number };
  const attrs = {
    ...window(n.attrs),
    group: groups,
    ...(transposed ? { output_padding: list(n.attrs, 'outputPads') } : {}),
  };
  withActivation(n, (output) => n.w.node(transposed ? 'ConvTranspose' : 'Conv', operands(n), attrs, output));
};

/** A matrix with rows and columns exchanged, its grid along. */
function transposed({ type, data }: Tensor): Tensor {
  const [rows, columns] = type.shape as [number, number];
  const turned = allocate(type.dtype, data.length);
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < columns; c++) turned[c * rows + r] = data[r * columns + c] as never;
  const quant = type.quant && { ...type.quant, axis: type.quant.axis === null ? null : 1 - type.quant.axis };
  return { type: { dtype: type.dtype, shape: [columns, rows], ...(quant ? { quant } : {}) }, data: turned };
}

/** Gemm for matrices; MatMul and Add for more dimensions. */
const product: NodeExporter = (n) => {
  const turned = n.attrs.transposeWeights === true;
  if (n.type(0).shape.length === 2 && (turned || n.has(2)))
    return withActivation(n, (output) => n.w.node('Gemm', operands(n), turned ? { transB: 1 } : {}, output));
  const weights = n.constant(1);
  const w = !turned
    ? n.in(1)
    : weights
      ? n.replaced(1, transposed(weights))
      : n.w.node('Transpose', [n.in(1)], { perm: [1, 0] });
  withActivation(n, (output) => {
    if (!n.has(2)) return n.w.node('MatMul', [n.in(0), w], {}, output);
    return n.w.node('Add', [n.w.node('MatMul', [n.in(0), w]), n.in(2)], {}, output);
  });
};

const matmul: NodeExporter = (n) => {
  const { transX, transY, alpha } = n.attrs;
  const turn = (slot: number): string => {
    const perm = n.type(slot).shape.map((_, d) => d);
    return n.w.node('Transpose', [n.in(slot)], { perm: [...perm.slice(0, -2), perm.length - 1, perm.length - 2] });
  };
  const inputs = [transX ? turn(0) : n.in(0), transY ? turn(1) : n.in(1)];
  if (alpha === 1) n.w.node('MatMul', inputs, {}, n.outs[0]);
  else n.w.node('Mul', [n.w.node('MatMul', inputs), n.w.float(Number(alpha))], {}, n.outs[0]);
};

/** A name of an index as a letter. */
const letter = (index: number): string => String.fromCharCode((index < 26 ? 97 : 65 - 26) + index);

const einsum: NodeExporter = (n) => {
  const word = (indices: readonly number[]): string => indices.map(letter).join('');
  const terms = (n.attrs.operands as readonly (readonly number[])[]).map(word).join(',');
  const inputs = n.node.inputs.map((_, slot) => n.in(slot));
  n.w.node('Einsum', inputs, { equation: `${terms}->${word(list(n.attrs, 'result'))}` }, n.outs[0]);
};

const pool: NodeExporter = (n) => {
  const { poolType, global, countIncludePad, ceilMode } = n.attrs;
  const average = poolType === 'avg';
  if (global) return void n.w.node(average ? 'GlobalAveragePool' : 'GlobalMaxPool', [n.in(0)], {}, n.outs[0]);
  const attrs = {
    kernel_shape: list(n.attrs, 'ksize'),
    ...window(n.attrs),
    ceil_mode: ceilMode ? 1 : 0,
    ...(average ? { count_include_pad: countIncludePad ? 1 : 0 } : {}),
  };
  n.w.node(average ? 'AveragePool' : 'MaxPool', [n.in(0)], attrs, n.outs[0]);
};

/** As a normalization with mean 0 and variance 1, which is the same numbers. */
const affineChannel: NodeExporter = (n) => {
  const channels = n.type(1).shape[0] as number;
  const [zeros, ones] = [0, 1].map((v) => n.w.floats(new Array<number>(channels).fill(v))) as [string, string];
  n.w.node('BatchNormalization', [n.in(0), n.in(1), n.in(2), zeros, ones], { epsilon: { float: 0 } }, n.outs[0]);
};

const batchNorm: NodeExporter = (n) =>
  void n.w.node(
    'BatchNormalization',
    [0, 1, 2, 3, 4].map((slot) => n.in(slot)),
    { epsilon: { float: Number(n.attrs.epsilon) } },
    n.outs[0],
  );

const normalize: NodeExporter = (n) => {
  const axis = Math.min(...list(n.attrs, 'axes'));
  const shape = n.type(0).shape.slice(axis);
  const ones = new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(1);
  const scale = n.w.constant({ type: { dtype: 'f32', shape }, data: ones }, 'ones');
  n.w.node('LayerNormalization', [n.in(0), scale], { axis, epsilon: { float: Number(n.attrs.epsilon) } }, n.outs[0]);
};

const lrn: NodeExporter = (n) => {
  const { alpha, beta, bias, size } = n.attrs as { alpha: number; beta: number; bias: number; size: number };
  n.w.node(
    'LRN',
    [n.in(0)],
    { alpha: { float: alpha }, beta: { float: beta }, bias: { float: bias }, size },
    n.outs[0],
  );
};

/** Convolutions, products, pools and normalizations. */
export const LAYERS: Readonly<Record<string, NodeExporter>> = {
  conv2d: conv,
  depthwise_conv2d: conv,
  conv2d_transpose: convTranspose,
  conv3d,
  mul: product,
  fc: product,
  matmul,
  einsum,
  pool2d: pool,
  affine_channel: affineChannel,
  batch_norm: batchNorm,
  normalize,
  lrn,
};
