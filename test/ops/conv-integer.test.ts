/** conv2d and depthwise_conv2d on codes against a direct float64 evaluation of the same codes. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { f32, type Tensor, tensor } from '../../src/ir/tensor.js';
import { codesType, perAxis, perTensor, type Quant, scaleAt, type TensorType, zeroPointAt } from '../../src/ir/type.js';
import type { ConvAttrs } from '../../src/ops/conv-shared.js';
import { OPS } from '../../src/ops/index.js';
import type { Op } from '../../src/ops/op.js';
import type { Activation } from '../../src/quant/activation.js';
import { toReal } from '../../src/quant/tensors.js';
import { codes, expectClose, expectCodes, random, reals } from '../support/tensors.js';

const conv = OPS.get('conv2d') as Op;
const PLAIN: ConvAttrs = { strides: [1, 1], pads: [0, 0, 0, 0], dilations: [1, 1], groups: 1, activation: null };

/** Real numbers of codes in float64, without any rounding. */
function exactReals(t: Tensor): Float64Array {
  const q = t.type.quant;
  if (!q) return Float64Array.from(t.data as Float32Array);
  const slice = t.data.length / (t.type.shape[0] as number);
  return Float64Array.from(t.data as Int8Array, (v, i) => {
    const s = q.axis === null ? 0 : Math.floor(i / slice);
    return (v - zeroPointAt(q, s)) * scaleAt(q, s);
  });
}

/** Every output of a convolution, one at a time, in float64. */
function direct(a: ConvAttrs, x: Tensor, w: Tensor, bias: Tensor | null, shape: readonly number[]): Float64Array {
  const [xr, wr, br] = [exactReals(x), exactReals(w), bias && exactReals(bias)];
  const [, c, h, width] = x.type.shape as [number, number, number, number];
  const [m, per, kh, kw] = w.type.shape as [number, number, number, number];
  const [n, , oh, ow] = shape as [number, number, number, number];
  const out = new Float64Array(n * m * oh * ow);
  for (let i = 0; i < out.length; i++) {
    const [ox, oy] = [i % ow, Math.floor(i / ow) % oh];
    const [o, b] = [Math.floor(i / (ow * oh)) % m, Math.floor(i / (ow * oh * m))];
    let sum = br ? (br[o] as number) : 0;
    for (let k = 0; k < per; k++)
      for (let ky = 0; ky < kh; ky++)
        for (let kx = 0; kx < kw; kx++) {
          const y = oy * (a.strides[0] as number) - (a.pads[0] as number) + ky * (a.dilations[0] as number);
          const p = ox * (a.strides[1] as number) - (a.pads[1] as number) + kx * (a.dilations[1] as number);
          if (y < 0 || y >= h || p < 0 || p >= width) continue;
          const channel = Math.floor(o / (m / a.groups)) * per + k;
          const at = ((b * c + channel) * h + y) * width + p;
          sum += (xr[at] as number) * (wr[((o * per + k) * kh + ky) * kw + kx] as number);
        }
    out[i] = sum;
  }
  return out;
}

interface Case {
  readonly name: string;
  readonly x: readonly number[];
  readonly w: readonly number[];
  readonly attrs?: Partial<ConvAttrs>;
  readonly xq?: Quant;
  readonly wq?: Quant;
  readonly yq?: Quant;
  readonly bias?: 'int32' | 'float' | 'int32 on another grid';
  readonly extreme?: boolean;
}

const steps = (n: number): number[] => Array.from({ length: n }, (_, i) => 0.003 * (1 + i));

const CASES: Case[] = [
  { name: '1x1', x: [1, 5, 6, 7], w: [4, 5, 1, 1] },
  { name: '3x3 with pads', x: [2, 3, 7, 5], w: [4, 3, 3, 3], attrs: { pads: [1, 1, 1, 1] } },
  {
    name: 'stride 2, asymmetric pads',
    x: [1, 3, 8, 6],
    w: [2, 3, 3, 3],
    attrs: { pads: [0, 0, 1, 1], strides: [2, 2] },
  },
  {
    name: 'uneven strides and dilation',
    x: [1, 2, 9, 11],
    w: [3, 2, 3, 2],
    attrs: { strides: [1, 3], dilations: [2, 3] },
  },
  { name: 'pads wider than the input', x: [1, 1, 2, 2], w: [1, 1, 5, 5], attrs: { pads: [4, 3, 4, 3] } },
  { name: 'groups', x: [1, 6, 5, 5], w: [4, 3, 3, 3], attrs: { groups: 2, pads: [1, 0, 0, 1] } },
  { name: 'depthwise with multiplier', x: [1, 4, 6, 6], w: [8, 1, 3, 3], attrs: { groups: 4, pads: [1, 1, 1, 1] } },
  { name: 'per channel', x: [1, 4, 5, 5], w: [6, 4, 1, 1], wq: perAxis('i8', 0, steps(6)), bias: 'int32' },
  {
    name: 'u8 weights with zero point',
    x: [1, 4, 5, 5],
    w: [6, 4, 3, 3],
    wq: perTensor('u8', 0.01, 131),
    bias: 'int32',
  },
  {
    name: 'u8 weights per channel with zero points',
    x: [1, 3, 4, 4],
    w: [3, 3, 3, 3],
    wq: perAxis('u8', 0, steps(3), [0, 128, 255]),
    bias: 'float',
  },
  {
    name: 'int8 activations',
    x: [1, 3, 5, 5],
    w: [4, 3, 3, 3],
    xq: perTensor('i8', 0.04, -17),
    attrs: { pads: [1, 1, 1, 1] },
  },
  { name: 'int8 output', x: [1, 3, 5, 5], w: [4, 3, 3, 3], yq: perTensor('i8', 0.2, -100), bias: 'float' },
  { name: 'bias on another grid', x: [1, 3, 5, 5], w: [4, 3, 3, 3], bias: 'int32 on another grid' },
  { name: 'extreme codes', x: [1, 64, 4, 4], w: [3, 64, 3, 3], extreme: true, yq: perTensor('u8', 40, 128) },
];

function operands(c: Case) {
  const next = random(c.name.length * 7919);
  const xq = c.xq ?? perTensor('u8', 0.05, 120);
  const wq = c.wq ?? perTensor('i8', 0.02);
  const m = c.w[0] as number;
  const x = codes(next, c.x, xq, c.extreme);
  const w = codes(next, c.w, wq, c.extreme);
  const biasScales = Array.from({ length: m }, (_, i) => 0.05 * scaleAt(wq, i) * (c.bias === 'int32' ? 1 : 1.37));
  const stored = codesType({ dtype: 'f32', shape: [m], quant: perAxis('i32', 0, biasScales) });
  const values = Int32Array.from({ length: m }, () => Math.floor((next() - 0.5) * 4000));
  const bias = !c.bias ? null : c.bias === 'float' ? reals(next, [m], 3) : tensor(stored, values);
  return { next, x, w, bias };
}

const outputShape = (attrs: ConvAttrs, x: Tensor, w: Tensor): readonly number[] =>
  (
    conv.infer(
      attrs,
      [x, w].map(({ type }) => ({ type })),
    )[0] as TensorType
  ).shape;

for (const c of CASES)
  test(c.name, () => {
    const { x, w, bias } = operands(c);
    const attrs = { ...PLAIN, ...c.attrs };
    const shape = outputShape(attrs, x, w);
    const exact = direct(attrs, x, w, bias, shape);
    const quant = c.yq ?? perTensor('u8', 0.08, 90);
    const type = codesType({ dtype: 'f32', shape, quant });
    const result = conv.integer?.(attrs, [x, w, bias], type) as Tensor;
    expectCodes(
      result,
      exact.map((v) => v / scaleAt(quant, 0)),
      'codes',
    );
    const real = conv.integer?.(attrs, [x, w, bias], { dtype: 'f32', shape }) as Tensor;
    expectClose(real, f32(shape, Float32Array.from(exact)), 1e-6, 'float output');
    const [reference] = conv.reference(
      attrs,
      [x, w, bias].map((t) => t && toReal(t)),
    );
    expectClose(reference, f32(shape, Float32Array.from(exact)), 1e-6, 'reference');
  });

test('a residual joins before the only rounding, as codes and as reals', () => {
  const { next, x, w } = operands({ name: 'residual', x: [1, 3, 6, 6], w: [4, 3, 3, 3] });
  const shape = outputShape(PLAIN, x, w);
  const quant = perTensor('u8', 0.07, 100);
  for (const residual of [codes(next, shape, perTensor('i8', 0.031, 5)), reals(next, shape, 5)]) {
    const r = exactReals(residual);
    const exact = direct(PLAIN, x, w, null, shape).map((v, i) => (v + (r[i] as number)) / scaleAt(quant, 0));
    const type = codesType({ dtype: 'f32', shape, quant });
    expectCodes(conv.integer?.(PLAIN, [x, w, null, residual], type) as Tensor, exact, 'residual');
  }
});

test('activations: clamps bound the codes, others act on the real value', () => {
  const { x, w } = operands({ name: 'activation', x: [1, 3, 6, 6], w: [4, 3, 3, 3] });
  const shape = outputShape(PLAIN, x, w);
  const quant = perTensor('u8', 0.03, 60);
  const hardSwish: Activation = { kind: 'hard_swish', threshold: 6, scale: 6, offset: 3 };
  const cases: [Activation, (v: number) => number][] = [
    [{ kind: 'relu' }, (v) => Math.max(v, 0)],
    [{ kind: 'relu6' }, (v) => Math.min(Math.max(v, 0), 6)],
    [{ kind: 'clip', min: -0.4, max: 2.2 }, (v) => Math.min(Math.max(v, Math.fround(-0.4)), Math.fround(2.2))],
    [hardSwish, (v) => (v * Math.min(Math.max(v + 3, 0), 6)) / 6],
    [{ kind: 'leaky_relu', alpha: 0.125 }, (v) => (v < 0 ? v * 0.125 : v)],
  ];
  for (const [activation, apply] of cases) {
    const attrs = { ...PLAIN, activation };
    const exact = direct(attrs, x, w, null, shape).map((v) => apply(v) / scaleAt(quant, 0));
    const type = codesType({ dtype: 'f32', shape, quant });
    expectCodes(conv.integer?.(attrs, [x, w], type) as Tensor, exact, activation.kind);
  }
});

test('ties go to even or away from zero, as the output grid says', () => {
  // One weight of 1, scales 1 and 2: sums of 1, 3, 5, -1, -3 are halves of a quantum.
  const x = tensor(
    codesType({ dtype: 'f32', shape: [1, 1, 1, 5], quant: perTensor('i8', 1) }),
    Int8Array.of(1, 3, 5, -1, -3),
  );
  const w = tensor(codesType({ dtype: 'f32', shape: [1, 1, 1, 1], quant: perTensor('i8', 1) }), Int8Array.of(1));
  const run = (rounding: 'even' | 'away'): number[] => {
    const quant = perTensor('i8', 2, 0, rounding);
    return Array.from(
      (conv.integer?.(PLAIN, [x, w], codesType({ dtype: 'f32', shape: [1, 1, 1, 5], quant })) as Tensor).data,
      Number,
    );
  };
  assert.equal(
    run('even').map((v) => v + 0),
    [0, 2, 2, 0, -2],
  );
  assert.equal(run('away'), [1, 2, 3, -1, -2]);
});

test('infer refuses what does not fit', () => {
  const of = (...shapes: number[][]) => shapes.map((shape) => ({ type: { dtype: 'f32', shape } as const }));
  assert.throws(() => conv.infer(PLAIN, of([1, 3, 4, 4], [2, 4, 1, 1])), /do not fit 3 channels/);
  assert.throws(() => conv.infer(PLAIN, of([1, 3, 4, 4], [2, 3, 5, 5])), /does not fit into/);
  assert.throws(() => conv.infer(PLAIN, of([1, 3, 4, 4], [2, 3, 1, 1], [3])), /bias/);
  assert.throws(() => conv.infer(PLAIN, of([3, 4, 4], [2, 3, 1])), /rank 4/);
  assert.throws(() => conv.infer({ ...PLAIN, strides: [0, 1] }, of([1, 3, 4, 4], [2, 3, 1, 1])), /strides/);
});

test.run();
