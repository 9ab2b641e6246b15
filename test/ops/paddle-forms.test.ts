/** Paddle ops with several results, with operands besides x, and in their older forms, against formulas in float64. */
import { test } from 'uvu';
import { floats, ints } from '../support/paddle.js';
import { type Case, grid, testCases } from '../support/paddle-cases.js';
import { random } from '../support/tensors.js';

const next = random(77);
const SHAPE = [2, 4, 5, 6] as const;
const values = (n: number, scale = 3): number[] =>
  Array.from({ length: n }, () => Math.fround((next() * 2 - 1) * scale));
const X = values(240);
/** The element of x at a place. */
const x = (n = 0, c = 0, h = 0, w = 0): number => X[((n * 4 + c) * 5 + h) * 6 + w] as number;
const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
const sum = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0);
const TABLE = values(7 * 3);
const SAME = values(240);
const W = values(4 * 3 * 3 * 3);
const MATRIX = values(30 * 5);
const BIAS = values(5);
const SIX = values(6);

/** Places of elements by decreasing value, of equal ones the first. */
const descending = (list: readonly number[]): number[] =>
  range(list.length).sort((a, b) => (list[b] as number) - (list[a] as number) || a - b);

/** A transposed convolution of x with W[4, out / groups, kh, kw], element by element. */
function transposed(
  [oh, ow]: readonly [number, number],
  o: {
    perGroup: number;
    groups?: number;
    k: readonly [number, number];
    stride: number;
    pads: readonly [number, number];
    dilation?: number;
  },
): ReturnType<typeof grid> {
  const { perGroup, groups = 1, k, stride, pads, dilation = 1 } = o;
  const channels = 4 / groups;
  return grid([2, perGroup * groups, oh, ow], (n = 0, m = 0, y = 0, col = 0) => {
    let total = 0;
    const group = Math.floor(m / perGroup);
    for (let i = group * channels; i < (group + 1) * channels; i++)
      for (const ky of range(k[0]))
        for (const kx of range(k[1])) {
          const [iy, ix] = [(y + pads[0] - ky * dilation) / stride, (col + pads[1] - kx * dilation) / stride];
          if (!Number.isInteger(iy) || !Number.isInteger(ix) || iy < 0 || iy > 4 || ix < 0 || ix > 5) continue;
          const weight = W[((i * perGroup + (m % perGroup)) * k[0] + ky) * k[1] + kx] as number;
          total += x(n, i, iy, ix) * weight;
        }
    return total;
  });
}

const deconv = (
  attrs: NonNullable<Case['attrs']>,
  filter: readonly number[],
  result: ReturnType<typeof grid>,
  op = 'conv2d_transpose',
): Case => ({
  op,
  slot: 'Input',
  attrs,
  more: { Filter: floats(filter, W.slice(0, sum([filter.reduce((a, b) => a * b, 1)]))) },
  results: [{ slot: 'Output', ...result }],
  tolerance: 1e-5,
});

/** x between rows and columns, by align_corners or asymmetric places. */
function bilinear(n: number, c: number, y: number, col: number): number {
  const part = (at: number, size: number): [number, number, number] => {
    const low = Math.min(Math.floor(at), size - 1);
    return [low, Math.min(low + 1, size - 1), at - low];
  };
  const [[t, b, fy], [l, r, fx]] = [part(y, 5), part(col, 6)];
  const row = (h: number): number => x(n, c, h, l) * (1 - fx) + x(n, c, h, r) * fx;
  return row(t) * (1 - fy) + row(b) * fy;
}

const CASES: readonly Case[] = [
  {
    op: 'lookup_table_v2',
    slot: null,
    more: { W: floats([7, 3], TABLE), Ids: ints([2, 2], [3, 0, 6, 3], 'i64') },
    results: [grid([2, 2, 3], (i = 0, j = 0, k = 0) => TABLE[([3, 0, 6, 3][i * 2 + j] as number) * 3 + k] as number)],
  },
  {
    op: 'lookup_table',
    slot: null,
    attrs: { padding_idx: { long: 3 } },
    more: { W: floats([7, 3], TABLE), Ids: ints([4, 1], [3, 0, 6, 2], 'i64') },
    results: [grid([4, 3], (i = 0, k = 0) => (i === 0 ? 0 : (TABLE[([3, 0, 6, 2][i] as number) * 3 + k] as number)))],
  },
  {
    op: 'stack',
    slot: null,
    attrs: { axis: 1 },
    more: { X: ['x', floats(SHAPE, SAME)] },
    results: [
      {
        slot: 'Y',
        ...grid([2, 2, 4, 5, 6], (n = 0, s = 0, c = 0, h = 0, w = 0) =>
          s === 0 ? x(n, c, h, w) : (SAME[((n * 4 + c) * 5 + h) * 6 + w] as number),
        ),
      },
    ],
  },
  {
    op: 'unstack',
    attrs: { axis: 1, num: 4 },
    results: range(4).map((c) => ({ slot: 'Y', ...grid([2, 5, 6], (n = 0, h = 0, w = 0) => x(n, c, h, w)) })),
  },
  {
    op: 'unbind',
    attrs: { axis: 0 },
    results: range(2).map((n) => grid([4, 5, 6], (c = 0, h = 0, w = 0) => x(n, c, h, w))),
  },
  {
    op: 'split',
    attrs: { axis: 3, num: 3 },
    results: range(3).map((i) => grid([2, 4, 5, 2], (n = 0, c = 0, h = 0, w = 0) => x(n, c, h, 2 * i + w))),
  },
  {
    op: 'split',
    attrs: { axis: -2, sections: [1, -1, 2] },
    results: [
      [0, 1],
      [1, 2],
      [3, 2],
    ].map(([from = 0, size = 0]) => grid([2, 4, size, 6], (n = 0, c = 0, h = 0, w = 0) => x(n, c, from + h, w))),
  },
  {
    op: 'arg_max',
    attrs: { axis: { long: 1 } },
    results: [grid([2, 5, 6], (n = 0, h = 0, w = 0) => descending(range(4).map((c) => x(n, c, h, w)))[0] as number)],
  },
  {
    op: 'arg_min',
    attrs: { axis: { long: -1 }, keepdims: true, dtype: 2 },
    results: [
      grid([2, 4, 5, 1], (n = 0, c = 0, h = 0) => descending(range(6).map((w) => -x(n, c, h, w)))[0] as number),
    ],
  },
  {
    op: 'arg_max',
    attrs: { flatten: true, axis: { long: 0 } },
    results: [{ shape: [], wanted: [descending(X)[0] as number] }],
  },
  {
    op: 'top_k',
    attrs: { k: 3 },
    results: [
      grid([2, 4, 5, 3], (n = 0, c = 0, h = 0, k = 0) => {
        const row = range(6).map((w) => x(n, c, h, w));
        return row[descending(row)[k] as number] as number;
      }),
      {
        slot: 'Indices',
        ...grid(
          [2, 4, 5, 3],
          (n = 0, c = 0, h = 0, k = 0) => descending(range(6).map((w) => x(n, c, h, w)))[k] as number,
        ),
      },
    ],
  },
  {
    op: 'top_k_v2',
    attrs: { k: 2, axis: 1, largest: false },
    results: [
      grid(
        [2, 2, 5, 6],
        (n = 0, k = 0, h = 0, w = 0) =>
          range(4)
            .map((c) => x(n, c, h, w))
            .sort((a, b) => a - b)[k] as number,
      ),
      {
        slot: 'Indices',
        ...grid(
          [2, 2, 5, 6],
          (n = 0, k = 0, h = 0, w = 0) => descending(range(4).map((c) => -x(n, c, h, w)))[k] as number,
        ),
      },
    ],
  },
  deconv({ strides: [2, 2] }, [4, 3, 2, 2], transposed([10, 12], { perGroup: 3, k: [2, 2], stride: 2, pads: [0, 0] })),
  deconv(
    { strides: [2, 2], paddings: [1, 1], output_padding: [1, 1] },
    [4, 3, 3, 3],
    transposed([10, 12], { perGroup: 3, k: [3, 3], stride: 2, pads: [1, 1] }),
  ),
  deconv(
    { strides: [2, 2], paddings: [1, 0], output_size: [9, 14] },
    [4, 3, 3, 3],
    transposed([9, 14], { perGroup: 3, k: [3, 3], stride: 2, pads: [1, 0] }),
  ),
  deconv(
    { strides: [1, 1], paddings: [1, 2, 0, 1], dilations: [2, 2] },
    [4, 3, 3, 3],
    transposed([6, 9], { perGroup: 3, k: [3, 3], stride: 1, pads: [1, 0], dilation: 2 }),
  ),
  deconv(
    { strides: [3, 3], groups: 2 },
    [4, 1, 2, 3],
    transposed([14, 18], { perGroup: 1, groups: 2, k: [2, 3], stride: 3, pads: [0, 0] }),
  ),
  deconv(
    { strides: [2, 2], groups: 4 },
    [4, 1, 4, 4],
    transposed([12, 14], { perGroup: 1, groups: 4, k: [4, 4], stride: 2, pads: [0, 0] }),
    'depthwise_conv2d_transpose',
  ),
  // The pads are those of a convolution over the input (UpdatePaddingAndDilation in conv_op.h).
  deconv(
    { strides: [2, 2], padding_algorithm: 'SAME' },
    [4, 3, 3, 3],
    transposed([9, 12], { perGroup: 3, k: [3, 3], stride: 2, pads: [1, 0] }),
  ),
  {
    op: 'fc',
    slot: 'Input',
    attrs: { in_num_col_dims: 2, activation_type: 'relu' },
    more: { W: floats([30, 5], MATRIX), Bias: floats([1, 5], BIAS) },
    results: [
      grid([2, 4, 5], (n = 0, c = 0, o = 0) =>
        Math.max(
          0,
          (BIAS[o] as number) +
            sum(range(30).map((k) => (X[(n * 4 + c) * 30 + k] as number) * (MATRIX[k * 5 + o] as number))),
        ),
      ),
    ],
    tolerance: 1e-5,
  },
  {
    op: 'nearest_interp',
    attrs: { scale: { float: 2 }, align_corners: false },
    results: [grid([2, 4, 10, 12], (n = 0, c = 0, h = 0, w = 0) => x(n, c, h >> 1, w >> 1))],
  },
  {
    op: 'nearest_interp',
    attrs: { out_h: 3, out_w: 11 },
    results: [grid([2, 4, 3, 11], (n = 0, c = 0, h = 0, w = 0) => x(n, c, 2 * h, Math.floor(w / 2 + 0.5)))],
  },
  {
    op: 'bilinear_interp',
    attrs: { out_h: 9, out_w: 11 },
    results: [grid([2, 4, 9, 11], (n = 0, c = 0, h = 0, w = 0) => bilinear(n, c, h / 2, w / 2))],
  },
  {
    op: 'bilinear_interp',
    attrs: { scale: { float: 2 }, align_corners: false, align_mode: 1 },
    results: [grid([2, 4, 10, 12], (n = 0, c = 0, h = 0, w = 0) => bilinear(n, c, h / 2, w / 2))],
  },
  {
    op: 'bilinear_interp',
    attrs: { out_h: 2, out_w: 2, align_corners: false, align_mode: 0 },
    more: { OutSize: ints([2], [10, 12]) },
    results: [
      grid([2, 4, 10, 12], (n = 0, c = 0, h = 0, w = 0) =>
        bilinear(n, c, Math.max(0, (h + 0.5) / 2 - 0.5), Math.max(0, (w + 0.5) / 2 - 0.5)),
      ),
    ],
  },
  {
    op: 'norm',
    attrs: { axis: 1, epsilon: { float: 1e-6 } },
    results: [
      grid(
        SHAPE,
        (n = 0, c = 0, h = 0, w = 0) => x(n, c, h, w) / Math.sqrt(sum(range(4).map((i) => x(n, i, h, w) ** 2)) + 1e-6),
      ),
    ],
  },
  {
    op: 'p_norm',
    attrs: { porder: { float: 2 }, axis: -1, keepdim: true },
    results: [grid([2, 4, 5, 1], (n = 0, c = 0, h = 0) => Math.sqrt(sum(range(6).map((w) => x(n, c, h, w) ** 2))))],
  },
  {
    op: 'log_softmax',
    attrs: { axis: 1 },
    results: [
      grid(
        SHAPE,
        (n = 0, c = 0, h = 0, w = 0) => x(n, c, h, w) - Math.log(sum(range(4).map((i) => Math.exp(x(n, i, h, w))))),
      ),
    ],
  },
  {
    op: 'reduce_min',
    attrs: { dim: [1] },
    results: [grid([2, 5, 6], (n = 0, h = 0, w = 0) => Math.min(...range(4).map((c) => x(n, c, h, w))))],
  },
  {
    op: 'reduce_prod',
    attrs: { dim: [-1], keep_dim: true },
    results: [grid([2, 4, 5, 1], (n = 0, c = 0, h = 0) => range(6).reduce((p, w) => p * x(n, c, h, w), 1))],
  },
  {
    op: 'sum',
    slot: null,
    more: { X: ['x', floats(SHAPE, SAME), 'x'] },
    results: [{ wanted: X.map((v, i) => 2 * v + (SAME[i] as number)) }],
  },
  {
    op: 'concat',
    slot: null,
    attrs: { axis: -1 },
    more: { X: ['x', floats(SHAPE, SAME)] },
    results: [
      grid([2, 4, 5, 12], (n = 0, c = 0, h = 0, w = 0) =>
        w < 6 ? x(n, c, h, w) : (SAME[((n * 4 + c) * 5 + h) * 6 + w - 6] as number),
      ),
    ],
  },
  {
    op: 'bmm',
    slot: null,
    more: { X: floats([2, 3, 5], SAME.slice(0, 30)), Y: floats([2, 5, 2], SAME.slice(30, 50)) },
    results: [
      grid([2, 3, 2], (b = 0, i = 0, j = 0) =>
        sum(range(5).map((k) => (SAME[(b * 3 + i) * 5 + k] as number) * (SAME[30 + (b * 5 + k) * 2 + j] as number))),
      ),
    ],
    tolerance: 1e-5,
  },
  {
    op: 'matmul',
    slot: null,
    attrs: { transpose_Y: true, alpha: { float: 0.25 } },
    more: { X: ['x'], Y: ['x'] },
    results: [
      grid([2, 4, 5, 5], (n = 0, c = 0, i = 0, j = 0) => sum(range(6).map((k) => x(n, c, i, k) * x(n, c, j, k))) / 4),
    ],
    tolerance: 1e-5,
  },
  {
    op: 'matmul_v2',
    slot: null,
    attrs: { trans_x: true },
    more: { X: ['x'], Y: ['x'] },
    results: [
      grid([2, 4, 6, 6], (n = 0, c = 0, i = 0, j = 0) => sum(range(5).map((k) => x(n, c, k, i) * x(n, c, k, j)))),
    ],
    tolerance: 1e-5,
  },
  {
    op: 'pad3d',
    slot: null,
    attrs: { paddings: [1, 0, 0, 2, 1, 1], mode: 'constant', value: { float: 0.5 } },
    more: { X: floats([1, 1, 2, 3, 4], SAME.slice(0, 24)) },
    results: [
      grid([1, 1, 4, 5, 5], (_n = 0, _c = 0, d = 0, h = 0, w = 0) =>
        d < 1 || d > 2 || h > 2 || w < 1 ? 0.5 : (SAME[((d - 1) * 3 + h) * 4 + w - 1] as number),
      ),
    ],
  },
  { op: 'shape', slot: 'Input', results: [{ shape: [4], wanted: [...SHAPE] }] },
  {
    op: 'expand',
    attrs: { expand_times: [1, 2, 1, 1] },
    results: [grid([2, 8, 5, 6], (n = 0, c = 0, h = 0, w = 0) => x(n, c % 4, h, w))],
  },
  { op: 'flatten2', attrs: { axis: 2 }, results: [{ shape: [8, 30], wanted: X }] },
  {
    op: 'squeeze2',
    slot: null,
    attrs: { axes: [0, -1] },
    more: { X: floats([1, 3, 2, 1], SIX) },
    results: [{ shape: [3, 2], wanted: SIX }],
  },
  {
    op: 'elementwise_pow',
    slot: null,
    more: { X: floats([6], SIX.map(Math.abs)), Y: floats([1], [1.5]) },
    results: [{ shape: [6], wanted: SIX.map((v) => Math.abs(v) ** 1.5) }],
    tolerance: 1e-5,
  },
  {
    op: 'sqrt',
    slot: null,
    more: { X: floats([6], SIX.map(Math.abs)) },
    results: [{ shape: [6], wanted: SIX.map((v) => Math.sqrt(Math.abs(v))) }],
  },
  {
    op: 'shuffle_channel',
    attrs: { group: 2 },
    results: [grid(SHAPE, (n = 0, c = 0, h = 0, w = 0) => x(n, (c % 2) * 2 + (c >> 1), h, w))],
  },
  {
    op: 'fill_constant_batch_size_like',
    slot: 'Input',
    attrs: { shape: { long: [-1, 3] }, value: { float: 1.5 }, dtype: 5, input_dim_idx: 0, output_dim_idx: 0 },
    results: [{ shape: [2, 3], wanted: range(6).map(() => 1.5) }],
  },
  {
    op: 'fill_constant',
    slot: null,
    attrs: { shape: { long: [2, 2] }, value: { float: 1 }, str_value: '-2.5', dtype: 5 },
    results: [{ shape: [2, 2], wanted: range(4).map(() => -2.5) }],
  },
  {
    op: 'pool2d',
    attrs: { pooling_type: 'max', ksize: [3, 3], strides: [2, 2], padding_algorithm: 'SAME' },
    results: [
      grid([2, 4, 3, 3], (n = 0, c = 0, h = 0, w = 0) =>
        Math.max(
          ...range(9).flatMap((i) => {
            const [y, col] = [2 * h - 1 + Math.floor(i / 3), 2 * w + (i % 3)];
            return y >= 0 && y < 5 && col < 6 ? [x(n, c, y, col)] : [];
          }),
        ),
      ),
    ],
  },
  {
    op: 'batch_norm',
    attrs: { epsilon: { float: 0.001 }, is_test: true },
    more: {
      Scale: floats([4], [1, -2, 0.5, 3]),
      Bias: floats([4], SIX.slice(0, 4)),
      Mean: floats([4], [0.5, -1, 0, 2]),
      Variance: floats([4], [1, 2, 3, 4]),
    },
    results: [
      {
        slot: 'Y',
        ...grid(SHAPE, (n = 0, c = 0, h = 0, w = 0) => {
          const [gamma, mean, variance] = [[1, -2, 0.5, 3][c], [0.5, -1, 0, 2][c], [1, 2, 3, 4][c]] as [
            number,
            number,
            number,
          ];
          return ((x(n, c, h, w) - mean) / Math.sqrt(variance + 0.001)) * gamma + (SIX[c] as number);
        }),
      },
    ],
  },
  {
    op: 'elementwise_mul',
    attrs: { axis: 0 },
    more: { Y: floats([2, 4], SAME.slice(0, 8)) },
    results: [grid(SHAPE, (n = 0, c = 0, h = 0, w = 0) => x(n, c, h, w) * (SAME[n * 4 + c] as number))],
  },
];

testCases(CASES, SHAPE, X);

test.run();
