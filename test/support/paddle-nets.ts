/** Small seeded Paddle networks in every style of fake quantization. */

import { type AttrInput, type Data, floats, ints, type ModelInput, type OpInput } from './paddle.js';
import { random } from './tensors.js';

const normal = (seed: number, shape: readonly number[], scale: number): Data => {
  const next = random(seed);
  return floats(
    shape,
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => (next() * 2 - 1) * scale),
  );
};

const away = (x: number): number => Math.sign(x) * Math.floor(Math.abs(x) + 0.5);

/** The greatest magnitude per output channel (axis 0), or over all. */
export function thresholdsOf({ shape, values }: Data, axis: number | null): number[] {
  const extent = axis === null ? 1 : (shape[axis] as number);
  const step = axis === null ? 1 : shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  const most = new Float32Array(extent);
  for (let i = 0; i < values.length; i++) {
    const c = Math.floor(i / step) % extent;
    most[c] = Math.max(most[c] as number, Math.abs(Number(values[i])));
  }
  return Array.from(most);
}

/** Codes of weights by Paddle's float32 steps. */
export function codesOf(w: Data, axis: number | null): number[] {
  const thresholds = thresholdsOf(w, axis);
  const step = axis === null ? 1 : w.shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  return Array.from(w.values, (v, i) => {
    const t = thresholds[Math.floor(i / step) % thresholds.length] as number;
    return t <= 1e-30 ? 0 : away(Math.fround(Math.fround(127 * Math.fround(1 / t)) * Number(v)));
  });
}

/** How a network is quantized. */
export type Style = 'qat' | 'frozen' | 'frozen-channels' | 'training' | 'onnx-format' | 'onnx-format-float';

/** Thresholds of the operands of the two convolutions and the product. */
const THRESHOLDS = [1.5, 4.25, 3.1] as const;

interface Product {
  readonly op: OpInput;
  readonly weights: string;
  readonly axis: number;
}

/** The float network: conv 3x3, batch norm, relu, depthwise, hard_swish, pool, product with bias. */
const PRODUCTS: readonly Product[] = [
  {
    op: {
      type: 'conv2d',
      inputs: { Input: 'x', Filter: 'w1' },
      outputs: { Output: 'c1' },
      attrs: { strides: [1, 1], paddings: [1, 1], dilations: [1, 1], groups: 1 },
    },
    weights: 'w1',
    axis: 0,
  },
  {
    op: {
      type: 'depthwise_conv2d',
      inputs: { Input: 'r1', Filter: 'w2' },
      outputs: { Output: 'c2' },
      attrs: { strides: [2, 2], paddings: [1, 1], dilations: [1, 1], groups: 8 },
    },
    weights: 'w2',
    axis: 0,
  },
  {
    op: {
      type: 'mul',
      inputs: { X: 'p', Y: 'w3' },
      outputs: { Out: 'm' },
      attrs: { x_num_col_dims: 1, y_num_col_dims: 1 },
    },
    weights: 'w3',
    axis: 1,
  },
];

const BETWEEN: readonly (readonly OpInput[])[] = [
  [],
  [
    {
      type: 'batch_norm',
      inputs: { X: 'c1', Scale: 'g', Bias: 'b', Mean: 'mu', Variance: 'va' },
      outputs: { Y: 'n1', MeanOut: 'mu', VarianceOut: 'va', SavedMean: 'sm', SavedVariance: 'sv' },
      attrs: { epsilon: 1e-5, is_test: true },
    },
    { type: 'relu', inputs: { X: 'n1' }, outputs: { Out: 'r1' } },
  ],
  [
    {
      type: 'hard_swish',
      inputs: { X: 'c2' },
      outputs: { Out: 'h' },
      attrs: { threshold: { float: 6 }, scale: { float: 6 }, offset: { float: 3 } },
    },
    {
      type: 'pool2d',
      inputs: { X: 'h' },
      outputs: { Out: 'p' },
      attrs: { pooling_type: 'avg', ksize: [1, 1], global_pooling: true },
    },
  ],
];

const END: readonly OpInput[] = [
  { type: 'elementwise_add', inputs: { X: 'm', Y: 'bias' }, outputs: { Out: 'y' }, attrs: { axis: 1 } },
];

/** The parameters of the float network. One channel is dead, gammas have both signs. */
const parametersOf = (): Record<string, Data> => {
  const w1 = normal(1, [8, 3, 3, 3], 0.6);
  const dead = Float32Array.from(w1.values as Float32Array, (v, i) => (i < 27 ? v * 1e-39 : v));
  return {
    w1: floats([8, 3, 3, 3], dead),
    w2: normal(2, [8, 1, 3, 3], 0.8),
    w3: normal(3, [8, 5], 0.7),
    g: floats([8], [1e-39, 1.2, -0.7, 0.9, 1.1, -1.3, 0.4, 0.8]),
    b: normal(4, [8], 0.5),
    mu: normal(5, [8], 0.3),
    va: floats([8], [1, 0.8, 1.2, 0.5, 0.9, 1.5, 0.7, 1.1]),
    bias: normal(6, [5], 0.4),
  };
};

/** Quantizes one product in a style; adds the parameters that it needs. */
function quantized(
  { op, weights, axis }: Product,
  i: number,
  style: Style,
  parameters: Record<string, Data>,
  extra: Readonly<Record<string, AttrInput>>,
): OpInput[] {
  const threshold = THRESHOLDS[i] as number;
  const w = parameters[weights] as Data;
  const xSlot = op.type === 'mul' ? 'X' : 'Input';
  const wSlot = op.type === 'mul' ? 'Y' : 'Filter';
  const x = op.inputs[xSlot] as string;
  const name = (suffix: string): string => `${op.type}_${i}.${suffix}`;
  const scale = name('scale');
  const whole = style === 'frozen' ? null : axis;
  const ts = thresholdsOf(w, whole);
  parameters[scale] = floats([1], [threshold]);
  const bits = { bit_length: 8, ...extra };
  const product = (a: string, b: string, out: string): OpInput => ({
    ...op,
    inputs: { [xSlot]: a, [wSlot]: b },
    outputs: { [op.type === 'mul' ? 'Out' : 'Output']: out },
  });
  const result = Object.values(op.outputs)[0] as string;
  switch (style) {
    case 'qat':
      return [
        {
          type: 'fake_quantize_dequantize_moving_average_abs_max',
          inputs: { X: x, InScale: scale },
          outputs: { Out: name('qx'), OutScale: scale },
          attrs: { is_test: true, ...bits },
        },
        {
          type: 'fake_channel_wise_quantize_dequantize_abs_max',
          inputs: { X: weights },
          outputs: { Out: name('qw'), OutScale: name('ws') },
          attrs: { quant_axis: axis, ...bits },
        },
        product(name('qx'), name('qw'), result),
      ];
    case 'training':
      return [
        {
          type: 'fake_quantize_moving_average_abs_max',
          inputs: { X: x, InScale: scale },
          outputs: { Out: name('qx'), OutScale: scale },
          attrs: { is_test: true, ...bits },
        },
        {
          type: 'fake_dequantize_max_abs',
          inputs: { X: name('qx'), Scale: scale },
          outputs: { Out: name('dx') },
          attrs: { max_range: { float: 127 } },
        },
        {
          type: 'fake_channel_wise_quantize_abs_max',
          inputs: { X: weights },
          outputs: { Out: name('qw'), OutScale: name('ws') },
          attrs: { quant_axis: axis, ...bits },
        },
        {
          type: 'fake_channel_wise_dequantize_max_abs',
          inputs: { X: name('qw'), Scales: name('ws') },
          outputs: { Out: name('dw') },
          attrs: { quant_bits: [8], quant_axis: axis },
        },
        product(name('dx'), name('dw'), result),
      ];
    case 'frozen':
    case 'frozen-channels': {
      parameters[weights] = floats(w.shape, codesOf(w, whole));
      const one = style === 'frozen';
      if (!one) parameters[name('ws')] = floats([ts.length], ts);
      return [
        {
          type: one ? 'fake_quantize_range_abs_max' : 'fake_quantize_moving_average_abs_max',
          inputs: { X: x, InScale: scale },
          outputs: { Out: name('qx'), OutScale: scale },
          attrs: { is_test: true, ...bits },
        },
        product(name('qx'), weights, name('qy')),
        one
          ? {
              type: 'fake_dequantize_max_abs',
              inputs: { X: name('qy'), Scale: scale },
              outputs: { Out: result },
              attrs: { max_range: { float: (127 * 127) / (ts[0] as number) } },
            }
          : {
              type: 'fake_channel_wise_dequantize_max_abs',
              inputs: { X: name('qy'), Scales: [name('ws'), scale] },
              outputs: { Out: result },
              attrs: { quant_bits: [8, 8], x_num_col_dims: 1 },
            },
      ];
    }
    default: {
      const codes = codesOf(w, whole);
      parameters[weights] = style === 'onnx-format' ? ints(w.shape, codes, 'i8') : floats(w.shape, codes);
      parameters[name('ws')] = floats([ts.length], ts);
      parameters[name('zero')] = ints([1], [0]);
      const linear = (type: string, a: string, s: string, out: string, quantAxis: number): OpInput => ({
        type,
        inputs: { X: a, Scale: s, ZeroPoint: name('zero') },
        outputs: { Y: out },
        attrs: { quant_axis: quantAxis, is_test: true, ...bits },
      });
      return [
        linear('quantize_linear', x, scale, name('qx'), -1),
        linear('dequantize_linear', name('qx'), scale, name('dx'), -1),
        linear('dequantize_linear', weights, name('ws'), name('dw'), axis),
        product(name('dx'), name('dw'), result),
      ];
    }
  }
}

/** The network in a style; `attrs` go to every fake-quantization op (round_type). */
export function quantizedNet(style: Style, attrs: Readonly<Record<string, AttrInput>> = {}): ModelInput {
  const parameters = parametersOf();
  const ops = PRODUCTS.flatMap((product, i) => [
    ...(BETWEEN[i] ?? []),
    ...quantized(product, i, style, parameters, attrs),
  ]);
  return { inputs: { x: { shape: [-1, 3, 9, 9] } }, parameters, ops: [...ops, ...END], outputs: ['y'] };
}

/** The network without quantization; `attrs` are added to each of its ops, by type. */
export function floatNet(attrs: Readonly<Record<string, Readonly<Record<string, AttrInput>>>> = {}): ModelInput {
  const ops = [...PRODUCTS.flatMap(({ op }, i) => [...(BETWEEN[i] ?? []), op]), ...END];
  const marked = ops.map((op) => ({ ...op, attrs: { ...op.attrs, ...attrs[op.type] } }));
  return { inputs: { x: { shape: [-1, 3, 9, 9] } }, parameters: parametersOf(), ops: marked, outputs: ['y'] };
}

/** Data for the networks. */
export const netInput = (seed = 9): Float32Array =>
  Float32Array.from(normal(seed, [1, 3, 9, 9], 1.8).values as Float32Array);
