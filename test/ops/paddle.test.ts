/** Paddle ops against formulas written out here, in float64. */
import { test } from 'uvu';
import { type AttrInput, type Data, floats, ints } from '../support/paddle.js';
import { grid, testCases } from '../support/paddle-cases.js';
import { random } from '../support/tensors.js';

const next = random(21);
const SHAPE = [2, 4, 5, 6] as const;
const values = (n: number, scale = 3): number[] =>
  Array.from({ length: n }, () => Math.fround((next() * 2 - 1) * scale));
const X = values(240);
/** The element of x at a place. */
const x = (n: number, c: number, h: number, w: number): number => X[((n * 4 + c) * 5 + h) * 6 + w] as number;

interface Case {
  readonly op: string;
  readonly attrs?: Readonly<Record<string, AttrInput>>;
  /** Further operands by slot. */
  readonly more?: Readonly<Record<string, Data>>;
  /** The slots of x and of the result, where they are not X and Out. */
  readonly slot?: string;
  readonly out?: string;
  readonly shape?: readonly number[];
  readonly wanted: readonly number[];
  readonly tolerance?: number;
}

const each = (f: (v: number, n: number, c: number, h: number, w: number) => number): number[] =>
  X.map((v, i) => f(v, Math.floor(i / 120), Math.floor(i / 30) % 4, Math.floor(i / 6) % 5, i % 6));

const sigmoid = (v: number): number => 1 / (1 + Math.exp(-v));
const clip = (v: number, lo: number, hi: number): number => Math.min(Math.max(v, lo), hi);
const unary = (op: string, f: (v: number) => number, attrs: Case['attrs'] = {}): Case => ({
  op,
  attrs,
  wanted: X.map(f),
});
const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
const mean = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0) / list.length;

const PER_CHANNEL = values(4);
const SAME = values(240);
const MATRIX = values(42);
const FILTERS = values(4 * 2 * 3 * 3);

function normalized(list: readonly number[], epsilon = 1e-5): (v: number) => number {
  const m = mean(list);
  const variance = mean(list.map((v) => (v - m) ** 2));
  return (v) => (v - m) / Math.sqrt(variance + epsilon);
}
const plane = (n: number, c: number): number[] => range(30).map((i) => x(n, c, Math.floor(i / 6), i % 6));

const CASES: readonly Case[] = [
  unary('relu6', (v) => clip(v, 0, 2), { threshold: { float: 2 } }),
  unary('hard_swish', (v) => (v * clip(v + 3, 0, 6)) / 6),
  unary('hard_sigmoid', (v) => clip(0.2 * v + 0.5, 0, 1)),
  unary('swish', (v) => v * sigmoid(2 * v), { beta: { float: 2 } }),
  unary('leaky_relu', (v) => (v < 0 ? 0.02 * v : v)),
  unary('elu', (v) => (v < 0 ? 1.5 * (Math.exp(v) - 1) : v), { alpha: { float: 1.5 } }),
  unary('softplus', (v) => Math.log(1 + Math.exp(2 * v)) / 2, { beta: { float: 2 } }),
  unary('round', (v) => Math.sign(v) * Math.floor(Math.abs(v) + 0.5)),
  unary('clip', (v) => clip(v, -1, 0.5), { min: { float: -1 }, max: { float: 0.5 } }),
  unary('exp', Math.exp),
  unary('tanh', Math.tanh),
  unary('square', (v) => v * v),
  unary('pow', (v) => v * v, { factor: { float: 2 } }),
  unary('scale', (v) => (v + 2) * 3, { scale: { float: 3 }, bias: { float: 2 }, bias_after_scale: false }),
  unary('scale', (v) => v * 3 + 2, { scale: { float: 3 }, bias: { float: 2 } }),
  unary('dropout', (v) => v * 0.75, { dropout_prob: { float: 0.25 }, dropout_implementation: 'downgrade_in_infer' }),
  unary('dropout', (v) => v, { dropout_prob: { float: 0.25 }, dropout_implementation: 'upscale_in_train' }),
  unary('gelu', (v) => 0.5 * v * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v ** 3))), {
    approximate: true,
  }),
  {
    op: 'elementwise_add',
    attrs: { axis: 1 },
    more: { Y: floats([4], PER_CHANNEL) },
    wanted: each((v, _n, c) => v + (PER_CHANNEL[c] as number)),
  },
  {
    op: 'elementwise_sub',
    attrs: { axis: 1 },
    more: { Y: floats([4, 1, 1], PER_CHANNEL) },
    wanted: each((v, _n, c) => v - (PER_CHANNEL[c] as number)),
  },
  {
    op: 'elementwise_div',
    attrs: { axis: -1 },
    more: { Y: floats(SHAPE, SAME) },
    wanted: X.map((v, i) => v / (SAME[i] as number)),
  },
  {
    op: 'elementwise_max',
    attrs: { axis: 2 },
    more: { Y: floats([5], SAME.slice(0, 5)) },
    wanted: each((v, _n, _c, h) => Math.max(v, SAME[h] as number)),
  },
  {
    op: 'elementwise_min',
    more: { Y: floats([6], SAME.slice(0, 6)) },
    wanted: each((v, _n, _c, _h, w) => Math.min(v, SAME[w] as number)),
  },
  {
    op: 'prelu',
    attrs: { mode: 'channel' },
    more: { Alpha: floats([4], PER_CHANNEL) },
    wanted: each((v, _n, c) => (v < 0 ? v * (PER_CHANNEL[c] as number) : v)),
  },
  {
    op: 'prelu',
    attrs: { mode: 'all' },
    more: { Alpha: floats([1], [0.25]) },
    wanted: X.map((v) => (v < 0 ? v / 4 : v)),
  },
  {
    op: 'reduce_mean',
    attrs: { dim: [2, 3], keep_dim: true },
    ...grid([2, 4, 1, 1], (n = 0, c = 0) => mean(plane(n, c))),
  },
  {
    op: 'reduce_sum',
    attrs: { dim: [-1] },
    ...grid([2, 4, 5], (n = 0, c = 0, h = 0) => range(6).reduce((s, w) => s + x(n, c, h, w), 0)),
  },
  { op: 'reduce_max', attrs: { reduce_all: true, dim: [0] }, shape: [], wanted: [Math.max(...X)] },
  {
    op: 'transpose2',
    attrs: { axis: [0, 2, 3, 1] },
    ...grid([2, 5, 6, 4], (n = 0, h = 0, w = 0, c = 0) => x(n, c, h, w)),
  },
  { op: 'reshape2', attrs: { shape: [0, -1, 6] }, shape: [2, 20, 6], wanted: X },
  { op: 'flatten_contiguous_range', attrs: { start_axis: 1, stop_axis: 2 }, shape: [2, 20, 6], wanted: X },
  { op: 'unsqueeze2', attrs: { axes: [0, 2] }, shape: [1, 2, 1, 4, 5, 6], wanted: X },
  {
    op: 'slice',
    slot: 'Input',
    attrs: { axes: [1, 3], starts: [-3, 1], ends: [-2, 100], decrease_axis: [1] },
    ...grid([2, 5, 5], (n = 0, h = 0, w = 0) => x(n, 1, h, w + 1)),
  },
  {
    op: 'strided_slice',
    slot: 'Input',
    attrs: { axes: [3], starts: [-1], ends: [-7], strides: [-2] },
    ...grid([2, 4, 5, 3], (n = 0, c = 0, h = 0, w = 0) => x(n, c, h, 5 - 2 * w)),
  },
  {
    op: 'expand_v2',
    attrs: { shape: [2, 2, -1, 5, 6] },
    ...grid([2, 2, 4, 5, 6], (_r = 0, n = 0, c = 0, h = 0, w = 0) => x(n, c, h, w)),
  },
  {
    op: 'tile',
    attrs: { repeat_times: [2, 1] },
    ...grid([2, 4, 10, 6], (n = 0, c = 0, h = 0, w = 0) => x(n, c, h % 5, w)),
  },
  {
    op: 'pad',
    attrs: { paddings: [0, 0, 0, 0, 0, 2, 1, 0], pad_value: { float: 7 } },
    more: {},
    ...grid([2, 4, 7, 7], (n = 0, c = 0, h = 0, w = 0) => (w < 1 || h > 4 ? 7 : x(n, c, h, w - 1))),
  },
  {
    op: 'pad2d',
    attrs: { paddings: [1, 0, 2, 0], mode: 'reflect' },
    ...grid([2, 4, 6, 8], (n = 0, c = 0, h = 0, w = 0) => x(n, c, Math.abs(h - 1), Math.abs(w - 2))),
  },
  {
    op: 'pool2d',
    attrs: { pooling_type: 'max', ksize: [2, 2], strides: [2, 2], paddings: [0, 0], ceil_mode: true },
    ...grid([2, 4, 3, 3], (n = 0, c = 0, h = 0, w = 0) =>
      Math.max(
        ...[0, 1].flatMap((i) => (2 * h + i < 5 ? [x(n, c, 2 * h + i, 2 * w), x(n, c, 2 * h + i, 2 * w + 1)] : [])),
      ),
    ),
  },
  {
    op: 'pool2d',
    attrs: { pooling_type: 'avg', ksize: [3, 3], strides: [2, 2], paddings: [1, 1], exclusive: true },
    ...grid([2, 4, 3, 3], (n = 0, c = 0, h = 0, w = 0) => mean(window3(n, c, 2 * h - 1, 2 * w - 1))),
  },
  {
    op: 'pool2d',
    attrs: { pooling_type: 'avg', ksize: [3, 3], strides: [2, 2], paddings: [1, 1], exclusive: false },
    ...grid(
      [2, 4, 3, 3],
      (n = 0, c = 0, h = 0, w = 0) => window3(n, c, 2 * h - 1, 2 * w - 1).reduce((a, b) => a + b, 0) / 9,
    ),
  },
  {
    op: 'pool2d',
    attrs: { pooling_type: 'avg', ksize: [2, 4], adaptive: true },
    ...grid([2, 4, 2, 4], (n = 0, c = 0, i = 0, j = 0) => mean(adaptive(n, c, i, j))),
  },
  {
    op: 'nearest_interp_v2',
    attrs: { scale: { float: [2, 2] }, align_corners: false },
    ...grid([2, 4, 10, 12], (n = 0, c = 0, h = 0, w = 0) => x(n, c, h >> 1, w >> 1)),
  },
  {
    op: 'nearest_interp_v2',
    attrs: { out_h: 9, out_w: 6, align_corners: true },
    ...grid([2, 4, 9, 6], (n = 0, c = 0, h = 0, w = 0) => x(n, c, Math.floor(h / 2 + 0.5), w)),
  },
  {
    op: 'bilinear_interp_v2',
    attrs: { out_h: 10, out_w: 6, align_corners: false, align_mode: 0 },
    ...grid([2, 4, 10, 6], (n = 0, c = 0, h = 0, w = 0) => lerp(n, c, w, Math.max(0, (h + 0.5) / 2 - 0.5))),
  },
  {
    op: 'bilinear_interp_v2',
    attrs: { out_h: 10, out_w: 6, align_corners: false, align_mode: 1 },
    ...grid([2, 4, 10, 6], (n = 0, c = 0, h = 0, w = 0) => lerp(n, c, w, h / 2)),
  },
  {
    op: 'conv2d',
    slot: 'Input',
    out: 'Output',
    attrs: { groups: 2, strides: [2, 1], paddings: [1, 0, 1, 1] },
    more: { Filter: floats([4, 2, 3, 3], FILTERS) },
    tolerance: 1e-5,
    ...grid([2, 4, 2, 6], (n = 0, o = 0, h = 0, w = 0) => conv(n, o, 2 * h - 1, w - 1)),
  },
  {
    op: 'conv2d',
    slot: 'Input',
    out: 'Output',
    attrs: { groups: 2, padding_algorithm: 'SAME', dilations: [2, 2] },
    more: { Filter: floats([4, 2, 3, 3], FILTERS) },
    tolerance: 1e-5,
    ...grid([2, 4, 5, 6], (n = 0, o = 0, h = 0, w = 0) => conv(n, o, h - 1, w - 1)),
  },
  {
    op: 'layer_norm',
    out: 'Y',
    attrs: { begin_norm_axis: 3, epsilon: 1e-5 },
    more: { Scale: floats([6], SAME.slice(0, 6)), Bias: floats([6], SAME.slice(6, 12)) },
    tolerance: 1e-5,
    wanted: each(
      (v, n, c, h, w) =>
        normalized(range(6).map((i) => x(n, c, h, i)))(v) * (SAME[w] as number) + (SAME[6 + w] as number),
    ),
  },
  {
    op: 'instance_norm',
    out: 'Y',
    more: { Scale: floats([4], PER_CHANNEL), Bias: floats([4], PER_CHANNEL) },
    tolerance: 1e-5,
    wanted: each((v, n, c) => normalized(plane(n, c))(v) * (PER_CHANNEL[c] as number) + (PER_CHANNEL[c] as number)),
  },
  {
    op: 'group_norm',
    out: 'Y',
    attrs: { groups: 2 },
    more: { Scale: floats([4], PER_CHANNEL) },
    tolerance: 1e-5,
    wanted: each(
      (v, n, c) => normalized([...plane(n, c & 2), ...plane(n, (c & 2) + 1)])(v) * (PER_CHANNEL[c] as number),
    ),
  },
  {
    op: 'affine_channel',
    more: { Scale: floats([4], PER_CHANNEL), Bias: floats([4], SAME.slice(0, 4)) },
    wanted: each((v, _n, c) => v * (PER_CHANNEL[c] as number) + (SAME[c] as number)),
  },
  {
    op: 'matmul_v2',
    attrs: { trans_y: true },
    more: { Y: floats([7, 6], MATRIX) },
    tolerance: 1e-5,
    ...grid([2, 4, 5, 7], (n = 0, c = 0, h = 0, o = 0) =>
      range(6).reduce((s, w) => s + x(n, c, h, w) * (MATRIX[o * 6 + w] as number), 0),
    ),
  },
  {
    op: 'matmul',
    attrs: { alpha: { float: 0.5 } },
    more: { Y: floats([6, 7], MATRIX) },
    tolerance: 1e-5,
    ...grid(
      [2, 4, 5, 7],
      (n = 0, c = 0, h = 0, o = 0) =>
        range(6).reduce((s, w) => s + x(n, c, h, w) * (MATRIX[w * 7 + o] as number), 0) / 2,
    ),
  },
  {
    op: 'mul',
    attrs: { x_num_col_dims: 3, y_num_col_dims: 1 },
    more: { Y: floats([6, 7], MATRIX) },
    tolerance: 1e-5,
    ...grid([2, 4, 5, 7], (n = 0, c = 0, h = 0, o = 0) =>
      range(6).reduce((s, w) => s + x(n, c, h, w) * (MATRIX[w * 7 + o] as number), 0),
    ),
  },
  {
    op: 'gather',
    attrs: { axis: 2 },
    more: { Index: ints([3], [4, 0, 4], 'i64') },
    ...grid([2, 4, 3, 6], (n = 0, c = 0, i = 0, w = 0) => x(n, c, [4, 0, 4][i] as number, w)),
  },
  {
    op: 'softmax',
    attrs: { axis: 1 },
    tolerance: 1e-6,
    wanted: each((v, n, _c, h, w) => Math.exp(v) / range(4).reduce((s, c) => s + Math.exp(x(n, c, h, w)), 0)),
  },
  {
    op: 'fake_quantize_dequantize_abs_max',
    wanted: X.map((v) => (Math.sign(v) * Math.floor(Math.abs((v * 127) / GREATEST()) + 0.5) * GREATEST()) / 127),
    tolerance: 1e-6,
  },
  {
    op: 'pixel_shuffle',
    attrs: { upscale_factor: 2 },
    ...grid([2, 1, 10, 12], (n = 0, _c = 0, h = 0, w = 0) => x(n, (h % 2) * 2 + (w % 2), h >> 1, w >> 1)),
  },
  { op: 'cast', attrs: { in_dtype: 5, out_dtype: 2 }, wanted: X.map(Math.trunc) },
  { op: 'fill_any_like', attrs: { value: { float: 2.5 } }, wanted: X.map(() => 2.5) },
];

function GREATEST(): number {
  return Math.max(...X.map(Math.abs));
}

function window3(n: number, c: number, top: number, left: number): number[] {
  return range(9).flatMap((i) => {
    const [h, w] = [top + Math.floor(i / 3), left + (i % 3)];
    return h >= 0 && h < 5 && w >= 0 && w < 6 ? [x(n, c, h, w)] : [];
  });
}

function adaptive(n: number, c: number, i: number, j: number): number[] {
  const part = (k: number, out: number, size: number): number[] =>
    range(size).filter((p) => p >= Math.floor((k * size) / out) && p < Math.ceil(((k + 1) * size) / out));
  return part(i, 2, 5).flatMap((h) => part(j, 4, 6).map((w) => x(n, c, h, w)));
}

function lerp(n: number, c: number, w: number, at: number): number {
  const low = Math.min(Math.floor(at), 4);
  return x(n, c, low, w) * (1 - (at - low)) + x(n, c, Math.min(low + 1, 4), w) * (at - low);
}

function conv(n: number, o: number, top: number, left: number): number {
  let sum = 0;
  for (const i of [0, 1])
    for (const k of range(9)) {
      const [h, w] = [top + Math.floor(k / 3), left + (k % 3)];
      if (h >= 0 && h < 5 && w >= 0 && w < 6)
        sum += x(n, (o >> 1) * 2 + i, h, w) * (FILTERS[(o * 2 + i) * 9 + k] as number);
    }
  return sum;
}

testCases(
  CASES.map(({ out = 'Out', shape = SHAPE, wanted, ...rest }) => ({
    ...rest,
    results: [{ slot: out, shape, wanted }],
  })),
  SHAPE,
  X,
);

test.run();
