/** Small ONNX models that between them use most ops and forms: what the fuzzer starts from. */
import { Network } from '../../test/support/network.js';
import { type AttrSpec, type ModelSpec, model, type NodeSpec, type TensorSpec } from '../../test/support/onnx.js';
import { asFakeQuantization, asOperators } from '../zoo/forms.js';

const GRID = { dtype: 'u8', scale: 0.05, zeroPoint: 120 } as const;

/** A residual block in QDQ form, with a pool and a classifier. */
function block(): Network & { readonly result: string } {
  const n = new Network(11);
  const x = n.fake(n.input('x', [1, 4, 6, 6]), GRID);
  const conv = (from: string, out: number, inn: number, attrs: Record<string, AttrSpec>): string =>
    n.fake(n.op('Relu', [n.op('Conv', [from, n.weights([out, inn, 3, 3], { axis: 0 })], attrs)]), GRID);
  const first = conv(x, 4, 4, { pads: [1, 1, 1, 1] });
  const depthwise = conv(first, 4, 1, { pads: [1, 1, 1, 1], group: 4 });
  const sum = n.fake(n.op('Add', [first, depthwise]), GRID);
  const pooled = n.fake(n.op('GlobalAveragePool', [n.op('MaxPool', [sum], { kernel_shape: [2, 2] })]), GRID);
  const flat = n.op('Flatten', [n.fake(n.op('Concat', [pooled, pooled], { axis: 1 }), GRID)]);
  return Object.assign(n, { result: n.fake(n.op('Gemm', [flat, n.weights([5, 8])], { transB: 1 }), GRID) });
}

type Step = readonly [op: string, inputs: readonly string[], attrs?: Readonly<Record<string, AttrSpec>>];

/** A model of a chain of nodes: each names its inputs, `_` being the result before it. */
function chain(
  shape: readonly number[],
  steps: readonly Step[],
  initializers: Readonly<Record<string, TensorSpec>> = {},
): ModelSpec {
  const nodes = steps.map(([op, inputs, attrs = {}], i): NodeSpec => {
    const before = i === 0 ? 'x' : `v${i - 1}`;
    return { op, inputs: inputs.map((name) => (name === '_' ? before : name)), outputs: [`v${i}`], attrs };
  });
  return { opset: 13, inputs: { x: shape }, outputs: [`v${steps.length - 1}`], nodes, initializers };
}

const ints = (...data: number[]): TensorSpec => ({ shape: [data.length], dtype: 'i64', data });
const floats = (...data: number[]): TensorSpec => ({ shape: [data.length], data });
const ones = (shape: readonly number[]): TensorSpec => ({
  shape,
  data: new Array<number>(shape.reduce((a, b) => a * b, 1)).fill(0.5),
});

const IMAGE = [1, 4, 6, 6];

const SPECS: readonly ModelSpec[] = [
  block().spec([block().result]),
  asFakeQuantization(block().spec([block().result])),
  asOperators(block().spec([block().result])),
  chain(
    IMAGE,
    [
      ['Conv', ['_', 'w', 'b'], { auto_pad: 'SAME_UPPER', strides: [2, 2] }],
      ['BatchNormalization', ['_', 'b', 'b', 'b', 'b']],
      ['HardSwish', ['_']],
      ['ConvTranspose', ['_', 'w'], { strides: [2, 2], output_padding: [1, 1] }],
      ['AveragePool', ['_'], { kernel_shape: [3, 3], ceil_mode: 1, pads: [1, 1, 1, 1] }],
      ['Clip', ['_', 'lo', 'hi']],
      ['Resize', ['_', '', 'scales'], { mode: 'linear' }],
      ['InstanceNormalization', ['_', 'b', 'b']],
      ['LRN', ['_'], { size: 3 }],
      ['Pad', ['_', 'pads'], { mode: 'reflect' }],
    ],
    {
      w: ones([4, 4, 3, 3]),
      b: ones([4]),
      lo: { shape: [], data: [0] },
      hi: { shape: [], data: [6] },
      scales: floats(1, 1, 2, 2),
      pads: ints(0, 0, 1, 1, 0, 0, 1, 1),
    },
  ),
  chain(
    [2, 5, 8],
    [
      ['LayerNormalization', ['_', 'g']],
      ['MatMul', ['_', 'w']],
      ['Reshape', ['_', 'heads']],
      ['Transpose', ['_'], { perm: [0, 2, 1, 3] }],
      ['Softmax', ['_'], { axis: -1 }],
      ['Einsum', ['_', 'k'], { equation: 'bhij,jk->bhik' }],
      ['Gelu', ['_']],
      ['ReduceMean', ['_'], { axes: [1], keepdims: 0 }],
      ['Gather', ['_', 'index'], { axis: 1 }],
      ['Tile', ['_', 'repeats']],
      ['CumSum', ['_', 'axis']],
      ['TopK', ['_', 'two']],
    ],
    {
      g: ones([8]),
      w: ones([8, 8]),
      k: ones([4, 3]),
      heads: ints(2, 5, 2, 4),
      index: ints(1, -1),
      repeats: ints(1, 2, 1),
      axis: { shape: [], dtype: 'i64', data: [1] },
      two: ints(2),
    },
  ),
  chain(
    [3, 4],
    [
      ['ArgMax', ['_'], { axis: 1 }],
      ['GatherElements', ['x', '_'], { axis: 1 }],
      ['Expand', ['_', 'shape']],
      ['Slice', ['_', 'from', 'to', 'axis', 'step']],
      ['Split', ['_'], { axis: 0 }],
      ['ScatterElements', ['x', 'place', 'value']],
      ['Greater', ['_', 'x']],
      ['Where', ['_', 'x', 'value']],
      ['Cast', ['_'], { to: 6 }],
      ['Mod', ['_', 'seven']],
      ['Pow', ['_', 'seven']],
      ['ReduceProd', ['_'], { axes: [0] }],
      ['OneHot', ['_', 'two', 'values']],
    ],
    {
      shape: ints(3, 4),
      from: ints(3),
      to: ints(-9),
      axis: ints(1),
      step: ints(-2),
      place: { shape: [1, 1], dtype: 'i64', data: [1] },
      value: { shape: [1, 1], data: [2] },
      seven: { shape: [], dtype: 'i32', data: [7] },
      two: ints(2),
      values: floats(0, 1),
    },
  ),
  chain(
    [1, 2, 4, 4, 4],
    [
      ['Conv', ['_', 'w'], { pads: [1, 1, 1, 1, 1, 1] }],
      ['MaxPool', ['_'], { kernel_shape: [2, 2, 2], strides: [2, 2, 2] }],
      ['Flatten', ['_'], { axis: 2 }],
      ['DynamicQuantizeLinear', ['_']],
    ],
    { w: ones([2, 2, 3, 3, 3]) },
  ),
];

/** A model of the corpus: as plain data, and as a file. */
export interface Seed {
  readonly spec: ModelSpec;
  readonly bytes: Uint8Array;
}

export const CORPUS: readonly Seed[] = SPECS.map((spec) => ({ spec, bytes: model(spec) }));
