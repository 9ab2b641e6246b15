/**
 * Layer by layer: every int8 convolution and product of the shared quantized Paddle models against a float64 evaluation
 * of the program's own ops (fake-quantized weights, convolution, batch norm, sum, activation, quantization), from equal
 * input codes.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { lower } from '../../src/compile.js';
import { readParameters } from '../../src/frontends/paddle/parameters.js';
import type { OpDesc } from '../../src/frontends/paddle/proto.js';
import type { Graph, Node } from '../../src/ir/graph.js';
import type { Tensor } from '../../src/ir/tensor.js';
import { isCodes } from '../../src/ir/type.js';
import { OPS } from '../../src/ops/index.js';
import { type Environment, interpret } from '../../src/ops/interpret.js';
import { resolveOptions } from '../../src/options.js';
import {
  hasPaddle,
  openPaddle,
  opsOf,
  type PaddleName,
  paddleOptions,
  paddleSets,
  programOf,
} from '../support/paddle-models.js';
import { skipUnless } from '../support/skip.js';

/** Codes may differ by 1 where the exact value is this close to a tie, in quanta. */
const TIE = 1e-5;

/** Real results may differ by this part of the greatest magnitude. */
const REAL_TOLERANCE = 1e-6;

const away = (x: number): number => Math.sign(x) * Math.floor(Math.abs(x) + 0.5);

/** The program's ops with what they name. */
class Source {
  readonly ops: readonly OpDesc[];
  private readonly parameters: ReadonlyMap<string, () => Tensor>;

  constructor(name: PaddleName) {
    const program = programOf(name);
    const { files, file } = openPaddle(name);
    this.ops = opsOf(program);
    this.parameters = readParameters(program.blocks[0] as never, files, { file });
  }

  parameter(op: OpDesc, slot: string): Float64Array {
    const read = this.parameters.get(op.inputs.get(slot)?.[0] ?? '');
    if (!read) throw new Error(`${op.type} has no parameter ${slot}`);
    return new Float64Array(read().data as Float32Array);
  }

  number(op: OpDesc, name: string): number {
    return op.attrs.get(name)?.numbers[0] as number;
  }

  /** Fake-quantized weights as real numbers: codes by Paddle's float32 steps, then exact. */
  weights(op: OpDesc, slot: string): { data: Float64Array; shape: readonly number[] } {
    const name = op.inputs.get(slot)?.[0];
    const fake = this.ops.find((o) => o.outputs.get('Out')?.[0] === name) as OpDesc;
    assert.is(fake.type, 'fake_channel_wise_quantize_dequantize_abs_max');
    const { type, data } = (this.parameters.get(fake.inputs.get('X')?.[0] ?? '') as () => Tensor)();
    const axis = this.number(fake, 'quant_axis') ?? 0;
    const step = type.shape.slice(axis + 1).reduce((a, b) => a * b, 1);
    const extent = type.shape[axis] as number;
    const channel = (i: number): number => Math.floor(i / step) % extent;
    const most = new Float32Array(extent);
    data.forEach((v: number | bigint, i: number) => {
      most[channel(i)] = Math.max(most[channel(i)] as number, Math.abs(Number(v)));
    });
    const real = Float64Array.from(data as Float32Array, (w, i) => {
      const s = most[channel(i)] as number;
      if (s <= 1e-30) return 0;
      const factor = Math.fround(127 * Math.fround(1 / s));
      return (away(Math.fround(factor * w)) * s) / 127;
    });
    return { data: real, shape: type.shape };
  }
}

/** A convolution in float64, NCHW. */
function convolve(
  source: Source,
  op: OpDesc,
  x: Float64Array,
  xs: readonly number[],
  out: readonly number[],
): Float64Array {
  const { data: w, shape } = source.weights(op, 'Filter');
  const [, c, h, width] = xs as [number, number, number, number];
  const [m, perGroup, kh, kw] = shape as [number, number, number, number];
  const [, , oh, ow] = out as [number, number, number, number];
  const list = (name: string): readonly number[] => op.attrs.get(name)?.numbers ?? [];
  const [sy, sx] = list('strides') as [number, number];
  const pads = list('paddings');
  const [top, left] = (pads.length === 4 ? [pads[0], pads[2]] : [pads[0], pads[1]]) as [number, number];
  assert.equal(list('dilations'), [1, 1]);
  const perFilter = m / (c / perGroup);
  const y = new Float64Array(m * oh * ow);
  for (let o = 0; o < m; o++)
    for (let i = 0; i < perGroup; i++)
      for (let ky = 0; ky < kh; ky++)
        for (let kx = 0; kx < kw; kx++) {
          const weight = w[((o * perGroup + i) * kh + ky) * kw + kx] as number;
          const plane = (Math.floor(o / perFilter) * perGroup + i) * h;
          for (let oy = 0; oy < oh; oy++) {
            const iy = oy * sy + ky - top;
            if (iy < 0 || iy >= h) continue;
            for (let ox = 0; ox < ow; ox++) {
              const ix = ox * sx + kx - left;
              if (ix < 0 || ix >= width) continue;
              const at = (o * oh + oy) * ow + ox;
              y[at] = (y[at] as number) + weight * (x[(plane + iy) * width + ix] as number);
            }
          }
        }
  return y;
}

/** x [1, K] times weights [K, N] in float64. */
function multiply(source: Source, op: OpDesc, x: Float64Array): Float64Array {
  const { data, shape } = source.weights(op, 'Y');
  const n = shape[1] as number;
  return Float64Array.from({ length: n }, (_, j) => x.reduce((sum, v, k) => sum + v * (data[k * n + j] as number), 0));
}

/** One op that follows the product, in float64. */
function follow(
  source: Source,
  op: OpDesc,
  y: Float64Array,
  inner: number,
  residual: Float64Array | null,
): Float64Array {
  const number = (name: string): number => source.number(op, name);
  switch (op.type) {
    case 'batch_norm': {
      const [gamma, beta, mean, variance] = ['Scale', 'Bias', 'Mean', 'Variance'].map((s) => source.parameter(op, s));
      return y.map((v, i) => {
        const c = Math.floor(i / inner);
        const deviation = Math.sqrt((variance?.[c] as number) + number('epsilon'));
        return ((v - (mean?.[c] as number)) / deviation) * (gamma?.[c] as number) + (beta?.[c] as number);
      });
    }
    case 'elementwise_add': {
      if (residual) return y.map((v, i) => v + (residual[i] as number));
      const bias = source.parameter(op, 'Y');
      return y.map((v, i) => v + (bias[Math.floor(i / inner)] as number));
    }
    case 'relu':
      return y.map((v) => Math.max(v, 0));
    case 'hard_swish':
      return y.map((v) => (v * Math.min(Math.max(v + number('offset'), 0), number('threshold'))) / number('scale'));
    case 'hard_sigmoid':
      return y.map((v) => Math.min(Math.max(v * number('slope') + number('offset'), 0), 1));
    default:
      throw new Error(`no reference of ${op.type}`);
  }
}

const realsOf = (t: Tensor): Float64Array => {
  const { quant } = t.type;
  if (!isCodes(t.type) || !quant) return new Float64Array(t.data as Float32Array);
  return Float64Array.from(t.data as Int8Array, (v) => v * (quant.scales[0] as number));
};

/** The result of a node before it is quantized, by the program's ops in float64. */
function exact(source: Source, graph: Graph, node: Node, env: Environment): Float64Array {
  const value = (i: number): Tensor => env.get(node.inputs[i] as number) as Tensor;
  const { shape } = graph.output(node).type;
  const [main, ...others] = [node.id, ...node.fused.map((f) => f.id)].map((id) => source.ops[id] as OpDesc) as [
    OpDesc,
    ...OpDesc[],
  ];
  const x = realsOf(value(0));
  const product = main.type.startsWith('matmul')
    ? multiply(source, main, x)
    : convolve(source, main, x, value(0).type.shape, shape);
  const inner = main.type.startsWith('matmul') ? 1 : (shape[2] as number) * (shape[3] as number);
  const residual = graph.optionalInput(node, 3) ? realsOf(value(3)) : null;
  return others.reduce((y, op) => follow(source, op, y, inner, residual), product);
}

interface Walk {
  nodes: number;
  elements: number;
  ties: number;
}

function check(source: Source, graph: Graph, env: Environment): Walk {
  const walk: Walk = { nodes: 0, elements: 0, ties: 0 };
  for (const node of graph.nodes) {
    if (!node.placement?.int8 || !/conv2d$|^fc$|^mul$/.test(node.op)) continue;
    const wanted = exact(source, graph, node, env);
    const got = env.get(node.outputs[0] as number) as Tensor;
    const { quant } = got.type;
    walk.nodes++;
    walk.elements += wanted.length;
    const label = `${node.op} (${node.id})`;
    if (!isCodes(got.type) || !quant) {
      const most = wanted.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
      wanted.forEach((v, i) => {
        assert.ok(Math.abs(v - Number(got.data[i])) <= REAL_TOLERANCE * most, `${label}: ${got.data[i]} for ${v}`);
      });
      continue;
    }
    wanted.forEach((v, i) => {
      const quanta = v / (quant.scales[0] as number);
      const code = Math.min(Math.max(away(quanta), quant.min), quant.max);
      if (code === got.data[i]) return;
      const fromTie = Math.abs(Math.abs(quanta - Math.floor(quanta)) - 0.5);
      assert.ok(
        Math.abs(code - Number(got.data[i])) === 1 && fromTie <= TIE,
        `${label} at ${i}: code ${got.data[i]} for ${quanta}, ${fromTie} from a tie`,
      );
      walk.ties++;
    });
  }
  return walk;
}

/** A square from the middle of an image [1, 3, size, size]. */
function middle({ type, data }: Tensor, side: number): Tensor {
  const size = type.shape[2] as number;
  const from = (size - side) >> 1;
  const cut = Float32Array.from({ length: 3 * side * side }, (_, i) => {
    const [c, y, x] = [Math.floor(i / (side * side)), Math.floor(i / side) % side, i % side];
    return (data as Float32Array)[(c * size + from + y) * size + from + x] as number;
  });
  return { type: { dtype: 'f32', shape: [1, 3, side, side] }, data: cut };
}

/** Runs a model on inputs of one shape and checks its layers. */
function checkModel(name: PaddleName, inputs: readonly Tensor[]): void {
  const source = new Source(name);
  const inputShapes = { x: inputs[0]?.type.shape as number[] };
  const { graph } = lower(openPaddle(name).files, resolveOptions({ ...paddleOptions(name), inputShapes }));
  const convolutions = source.ops.filter((op) => /^(depthwise_)?conv2d$|^matmul/.test(op.type)).length;
  for (const x of inputs) {
    const walk = check(source, graph, interpret(graph, OPS, { x }));
    assert.is(walk.nodes, convolutions, 'every convolution and product is int8');
    assert.ok(walk.ties < walk.elements / 1e4, `${walk.ties} of ${walk.elements} codes differ at ties`);
  }
}

if (skipUnless(hasPaddle, 'layers of the shared Paddle models', 'no shared models')) {
  test('the classifier: every int8 layer computes what the program says', () => {
    const inputs = paddleSets('clsQuantized').map((set) => set.input);
    checkModel('clsQuantized', inputs.slice(0, 2));
  });

  test('the detector: every int8 layer computes what the program says', () => {
    const [, text] = paddleSets('detQuantized').map((set) => set.input);
    checkModel('detQuantized', [middle(text as Tensor, 96)]);
  });
}

test.run();
