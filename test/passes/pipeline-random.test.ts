/** Random fake-quantized networks through the pipeline: every pass must keep what the graph computes. */
import '../support/relaxed.js';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { assemble, emitCode, pagesFor } from '../../src/codegen/emit.js';
import { planMemory } from '../../src/codegen/plan/memory.js';
import type { Border } from '../../src/codegen/plan/plan.js';
import { Planner } from '../../src/codegen/plan/planner.js';
import { type Attrs, Graph, type Value } from '../../src/ir/graph.js';
import { parse } from '../../src/ir/parse.js';
import { Patch } from '../../src/ir/patch.js';
import { print } from '../../src/ir/print.js';
import { f32, type Tensor } from '../../src/ir/tensor.js';
import { codesType, isCodes, perAxis, perTensor, type Quant, sizeOf } from '../../src/ir/type.js';
import { verify } from '../../src/ir/verify.js';
import { OPS } from '../../src/ops/index.js';
import type { Pass, PassContext } from '../../src/passes/pass.js';
import { PIPELINE } from '../../src/passes/pipeline.js';
import { quantizePlacement } from '../../src/passes/quantize-placement.js';
import { ABI_VERSION, type Target, type TensorInfo } from '../../src/runtime/abi.js';
import { runTwice } from '../support/compiled.js';
import { randomFeeds } from '../support/op-check.js';
import { difference, expectWithinRanges, outputsFor, passContext, runPasses } from '../support/passes.js';
import { codes, random, reals } from '../support/tensors.js';

const SIZE = 4;
const CHANNELS = [1, 2, 4] as const;

/** Which things a network may hold besides the usual ones. */
interface Kinds {
  /** Ops without an int8 form, which keep their roundings when everything else is skipped. */
  readonly floatOnly: boolean;
}

/** Builds a random network, op by op, as an importer would. */
class Builder {
  readonly graph = new Graph('random');
  private readonly next: () => number;
  private readonly kinds: Kinds;
  private readonly pool: Value[] = [];

  constructor(seed: number, kinds: Kinds) {
    this.next = random(seed);
    this.kinds = kinds;
  }

  private pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.next() * list.length)] as T;
  }

  private chance(p: number): boolean {
    return this.next() < p;
  }

  private add(op: string, attrs: Attrs, inputs: readonly Value[], type?: Value['type']): Value {
    const inferred = OPS.get(op)?.infer(
      attrs,
      inputs.map((v) => v),
    )[0] as Value['type'];
    const node = this.graph.addNode({
      op,
      attrs,
      inputs: inputs.map((v) => v.id),
      outputs: [{ type: type ?? inferred }],
    });
    return this.graph.output(node);
  }

  private grid(): Quant {
    const u8 = this.chance(0.5);
    const scale = this.pick([0.0131, 0.0173, 0.0237, 0.0411]);
    const grid = perTensor(
      u8 ? 'u8' : 'i8',
      scale,
      u8 ? this.pick([0, 128]) : this.pick([0, -7]),
      this.pick(['even', 'away']),
    );
    return this.chance(0.1) ? { ...grid, min: u8 ? 0 : -127, max: 127, zeroPoints: [0] } : grid;
  }

  /** quantize + dequantize, PyTorch's clip between them now and then, and now and then once more. */
  private rounded(x: Value, quant = this.grid()): Value {
    let q = this.add('quantize', { quant: quant as unknown as Attrs }, [x], codesType({ ...x.type, quant }));
    const clips = quant.zeroPoints.every((z) => z >= 0 && z <= 127);
    if (clips && this.chance(0.1)) q = this.add('clip', { min: 0, max: 127, onCodes: true }, [q]);
    if (this.chance(0.03)) this.graph.addOutput(q.id, `codes ${q.id}`);
    const d = this.add('dequantize', {}, [q]);
    return this.chance(0.1) ? this.rounded(d, this.chance(0.5) ? quant : this.grid()) : d;
  }

  private weights(shape: number[]): Value {
    const quant = this.chance(0.5)
      ? perAxis(
          'i8',
          0,
          Array.from({ length: shape[0] as number }, () => this.pick([0.0057, 0.0083, 0.0119])),
        )
      : perTensor(this.pick(['i8', 'u8']), 0.0071, this.pick([0, 5]));
    const { graph } = this;
    if (this.chance(0.1)) return graph.addConstant('w', reals(this.next, shape, 1));
    if (this.chance(0.5)) return this.add('dequantize', {}, [graph.addConstant('w', codes(this.next, shape, quant))]);
    const w = graph.addConstant('w', reals(this.next, shape, 1));
    return this.add('dequantize', {}, [
      this.add('quantize', { quant: quant as unknown as Attrs }, [w], codesType({ ...w.type, quant })),
    ]);
  }

  private perChannel(channels: number, least = -1): Value {
    const data = Float32Array.from({ length: channels }, () => least + this.next() * (1.5 - least));
    return this.graph.addConstant('p', f32([channels], data));
  }

  private convolution(x: Value): Value {
    const channels = x.type.shape[1] as number;
    const groups = channels > 1 && this.chance(0.3) ? channels : 1;
    const filters = groups > 1 ? channels : this.pick(CHANNELS);
    const k = this.pick([1, 3]);
    const pad = (k - 1) / 2;
    const attrs = { strides: [1, 1], pads: [pad, pad, pad, pad], dilations: [1, 1], groups, activation: null };
    const bias = this.chance(0.5) ? [this.perChannel(filters)] : [];
    let y = this.add('conv2d', attrs, [x, this.weights([filters, channels / groups, k, k]), ...bias]);
    if (this.chance(0.15)) y = this.add('assign', {}, [y]);
    if (this.kinds.floatOnly && this.chance(0.3)) y = this.batchNorm(y);
    if (this.chance(0.2)) {
      const b = this.graph.addConstant('b', reals(this.next, [filters, 1, 1], 1));
      y = this.add('elementwise_add', { activation: null }, [y, b]);
    }
    return y;
  }

  private batchNorm(x: Value): Value {
    const n = x.type.shape[1] as number;
    const parameters = [this.perChannel(n), this.perChannel(n), this.perChannel(n), this.perChannel(n, 0.5)];
    return this.add('batch_norm', { epsilon: 1e-3 }, [x, ...parameters]);
  }

  private activation(x: Value): Value {
    const op = this.pick(['relu', 'clip', 'hard_swish', 'sigmoid', 'tanh', 'leaky_relu', 'gate', 'gate']);
    const attrs: Record<string, Attrs> = {
      clip: this.chance(0.5) ? { min: 0, max: 6 } : { min: -0.5, max: 0.75 },
      hard_swish: { threshold: 6, scale: 6, offset: 3 },
      leaky_relu: { alpha: 0.1 },
    };
    if (op !== 'gate') return this.add(op, attrs[op] ?? {}, [x]);
    const gate = this.chance(0.5)
      ? this.add('sigmoid', {}, [x])
      : this.add('hard_sigmoid', { slope: Math.fround(1 / 6), offset: 0.5 }, [x]);
    return this.add('elementwise_mul', { activation: null }, this.chance(0.5) ? [x, gate] : [gate, x]);
  }

  /** Moves that give the shape back in the end. */
  private move(x: Value): Value {
    const { shape } = x.type;
    const inside = (v: Value): Value => (this.chance(0.2) ? this.rounded(v) : v);
    if (this.chance(0.4)) return this.add('transpose2', { perm: [0, 1, 3, 2] }, [x]);
    if (this.chance(0.5))
      return this.add('reshape2', { shape: [...shape] }, [
        inside(this.add('reshape2', { shape: [sizeOf(shape)] }, [x])),
      ]);
    const window = { ksize: [3, 3], strides: [1, 1], pads: [1, 1, 1, 1], dilations: [1, 1] };
    const poolType = this.pick(['max', 'avg']);
    return this.add(
      'pool2d',
      { poolType, ...window, global: false, countIncludePad: this.chance(0.5), ceilMode: false },
      [x],
    );
  }

  private joined(x: Value): Value {
    const shape = x.type.shape.join();
    const other = this.pick(this.pool.filter((v) => v.type.shape.join() === shape));
    if (x.type.shape[1] !== 4 && this.chance(0.3)) {
      const both = this.add('concat', { axis: 1 }, [x, other]);
      return this.chance(0.5) ? this.rounded(both) : both;
    }
    const op = this.pick(['elementwise_add', 'elementwise_add', 'elementwise_mul', 'elementwise_sub']);
    return this.add(op, { activation: null }, [x, other]);
  }

  private step(): void {
    const x = this.chance(0.7) ? (this.pool.at(-1) as Value) : this.pick(this.pool);
    const kind = this.next();
    let y =
      kind < 0.35
        ? this.convolution(x)
        : kind < 0.55
          ? this.joined(x)
          : kind < 0.75
            ? this.activation(x)
            : this.move(x);
    if (this.kinds.floatOnly && this.chance(0.04)) y = this.add('softmax', { axis: 1 }, [y]);
    if (y.type.shape[1] === 3 || (y.type.shape[1] as number) > 4) return;
    if (this.chance(0.6)) y = this.rounded(y);
    if (this.chance(0.1)) this.rounded(y); // a second reader that may stay without readers itself
    this.pool.push(y);
  }

  build(steps: number): Graph {
    for (let i = 0; i < 2; i++) {
      const x = this.graph.addInput(`x${i}`, { dtype: 'f32', shape: [1, this.pick(CHANNELS), SIZE, SIZE] });
      this.pool.push(this.chance(0.8) ? this.rounded(x) : x);
    }
    for (let i = 0; i < steps; i++) this.step();
    const outputs = new Set([this.pool.at(-1) as Value, this.pick(this.pool)]);
    for (const { id } of outputs) this.graph.addOutput(id, `y${id}`);
    return this.graph;
  }
}

const GRAPHS = Number(process.env.QC_RUNS ?? 90);
const STEPS = 10;

/** Passes that may move a float by a rounding error of float32, or codes by one at a tie. */
const NUMERIC: ReadonlySet<string> = new Set([
  'canonicalize',
  'canonicalize-norms',
  'fold-batch-norm',
  'fuse-bias',
  'fuse-conv-add',
  'insert-quantize',
  'squash-quantize',
]);

/** Root of the mean square difference, relative to that of what is expected. */
function relativeError(actual: Tensor, expected: Tensor): number {
  let [error, total] = [0, 1e-12];
  const zero = isCodes(expected.type) ? (expected.type.quant?.zeroPoints[0] as number) : 0;
  for (let i = 0; i < expected.data.length; i++) {
    error += (Number(actual.data[i]) - Number(expected.data[i])) ** 2;
    total += (Number(expected.data[i]) - zero) ** 2;
  }
  return Math.sqrt(error / total);
}

interface Moved {
  pass: string;
  seed: number;
  error: number;
}

/** Runs the passes one by one and compares the interpretations before and after each. */
function checkSteps(seed: number, graph: Graph, passes: readonly Pass[], context: PassContext, moved: Moved[]): void {
  const feeds = randomFeeds(graph, seed, 2);
  let before = outputsFor(graph, feeds);
  for (const pass of passes) {
    const text = print(graph);
    try {
      pass.run(graph, new Patch(graph, pass.name), context);
      verify(graph, OPS);
      const after = outputsFor(graph, feeds);
      assert.equal(Object.keys(after), Object.keys(before));
      for (const [name, expected] of Object.entries(before)) {
        const actual = after[name] as Tensor;
        assert.is(actual.type.dtype, expected.type.dtype, `${name} changed its dtype`);
        if (NUMERIC.has(pass.name)) moved.push({ pass: pass.name, seed, error: relativeError(actual, expected) });
        else assert.ok(difference(actual, expected).identical, `${name} moved`);
      }
      before = after;
    } catch (error) {
      throw new Error(
        `seed ${seed}, ${pass.name}: ${(error as Error).message}\nbefore:\n${text}\nafter:\n${print(graph)}`,
      );
    }
  }
}

/** How many nodes of each op compute on codes, over all graphs. */
const coverage = new Map<string, number>();

const at = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;

test('every pass of the pipeline keeps what a network computes, up to rare ties', () => {
  const moved: Moved[] = [];
  for (let seed = 1; seed <= GRAPHS; seed++) {
    const graph = new Builder(seed, { floatOnly: true }).build(STEPS);
    checkSteps(seed, graph, PIPELINE, passContext(), moved);
    for (const { op, placement } of graph.nodes)
      if (placement?.int8 || op === 'requantize') coverage.set(op, (coverage.get(op) ?? 0) + 1);
  }
  for (const pass of NUMERIC) {
    const sorted = moved.filter((m) => m.pass === pass).sort((a, b) => a.error - b.error);
    const errors = sorted.map((m) => m.error);
    const worst = sorted.at(-1);
    const text = `${pass}: 90 % within ${at(errors, 0.9)}, worst ${worst?.error} (seed ${worst?.seed})`;
    if (process.env.QC_VERBOSE) console.log(text);
    // A tie moves a code by one; what follows in ten layers of 16 to 64 elements may be visible, but rarely.
    assert.ok(at(errors, 0.9) < 1e-4, text);
    assert.ok((worst?.error ?? 0) < 0.05, text);
  }
});

test('the networks were worth the trouble: all kinds of nodes compute on codes', () => {
  if (process.env.QC_VERBOSE) console.log(coverage);
  const wanted =
    'conv2d depthwise_conv2d elementwise_add elementwise_mul elementwise_sub pool2d concat reshape2 transpose2';
  for (const op of `${wanted} relu sigmoid hard_swish requantize`.split(' '))
    assert.ok((coverage.get(op) ?? 0) >= 2, `${op}: ${coverage.get(op) ?? 0} nodes on codes`);
});

test('nodes skipped at random neither read nor give codes, and the graph stays sound', () => {
  const from = PIPELINE.indexOf(quantizePlacement);
  for (let seed = 1; seed <= GRAPHS; seed++) {
    const graph = new Builder(seed, { floatOnly: true }).build(STEPS);
    runPasses(graph, PIPELINE.slice(0, from));
    const next = random(seed + 1000);
    const able = graph.nodes.filter((n) => !['boundary', 'float-only'].includes(OPS.get(n.op)?.quant ?? ''));
    const opIdsToSkip = able.filter(() => next() < 0.4).map((n) => n.id);
    runPasses(graph, PIPELINE.slice(from), passContext({ opIdsToSkip }));
    for (const id of opIdsToSkip) {
      const node = graph.nodes.find((n) => n.id === id);
      if (!node || node.attrs.onCodes) continue;
      const touched = [...node.inputs, ...node.outputs].map((v) => (v === null ? undefined : graph.value(v)));
      assert.not.ok(
        touched.some((v) => v && !v.data && isCodes(v.type)),
        `${node.op} (${id}) was skipped, but reads or gives codes`,
      );
    }
  }
});

/** The network without the roundings of its activations; weights keep theirs. */
function unrounded(graph: Graph): Graph {
  const copy = parse(print(graph));
  const constant = new Set([...copy.values.values()].filter((v) => v.data).map((v) => v.id));
  const source = new Map<number, number>();
  for (const node of copy.nodes) {
    node.inputs = node.inputs.map((id) => (id === null ? null : (source.get(id) ?? id)));
    const [from] = node.inputs as number[];
    const [to] = node.outputs as [number];
    const boundary = node.op === 'quantize' || node.op === 'dequantize' || node.attrs.onCodes === true;
    if (!boundary) continue;
    if (constant.has(from as number)) constant.add(to);
    else source.set(to, from as number);
  }
  for (const output of copy.outputs) output.value = source.get(output.value) ?? output.value;
  return copy;
}

function expectUnrounded(seed: number, context: (graph: Graph) => PassContext, kinds: Kinds): void {
  const graph = new Builder(seed, kinds).build(STEPS);
  // A rounded input of the graph that is an output at once has no op that could be skipped.
  const bare = unrounded(graph);
  if (bare.outputs.some((o) => bare.inputs.includes(o.value))) return;
  if (graph.outputs.some((o) => isCodes(graph.value(o.value).type))) return;
  const feeds = randomFeeds(graph, seed, 2);
  const expected = outputsFor(bare, feeds);
  const from = PIPELINE.indexOf(quantizePlacement);
  runPasses(graph, PIPELINE.slice(0, from));
  runPasses(graph, PIPELINE.slice(from), context(graph));
  for (const [name, actual] of Object.entries(outputsFor(graph, feeds))) {
    const error = relativeError(actual, expected[name] as Tensor);
    assert.ok(error < 1e-4, `seed ${seed}: ${name} is off by ${error}\n${print(graph)}`);
  }
}

test('compiled as float a network has no roundings of activations', () => {
  for (let seed = 1; seed <= GRAPHS; seed++)
    expectUnrounded(seed, () => passContext({ precision: 'fp32' }), { floatOnly: true });
});

test('with all ids skipped neither', () => {
  const all = (graph: Graph): PassContext =>
    passContext({
      opIdsToSkip: graph.nodes
        .filter((n) => !['boundary', 'float-only'].includes(OPS.get(n.op)?.quant ?? ''))
        .map((n) => n.id),
    });
  for (let seed = 1; seed <= GRAPHS; seed++) expectUnrounded(seed, all, { floatOnly: false });
});

test('compiled as fake-quantized float every rounding stays', () => {
  const moved: Moved[] = [];
  const context = passContext({ precision: 'fake-quantized' });
  for (let seed = 1; seed <= GRAPHS; seed++)
    checkSteps(seed, new Builder(seed, { floatOnly: true }).build(STEPS), PIPELINE, context, moved);
  const errors = moved.map((m) => m.error).sort((a, b) => a - b);
  assert.ok(at(errors, 0.95) < 1e-4 && at(errors, 1) < 0.05, `95 % within ${at(errors, 0.95)}, worst ${at(errors, 1)}`);
});

const COMPILED = Number(process.env.QC_RUNS ?? 18);

/** The outputs of the module that a graph compiles to, by name. */
async function runModule(
  graph: Graph,
  feeds: Readonly<Record<string, Tensor>>,
  target: Target,
): Promise<Record<string, Float32Array>> {
  const plan = new Planner(graph, OPS, target).plan();
  const memory = planMemory(plan);
  const code = await emitCode(plan, memory, target);
  const place = ({ info, buffer }: Border): TensorInfo => ({ ...info, offset: memory.addresses[buffer] as number });
  const [inputs, outputs] = [plan.inputs.map(place), plan.outputs.map(place)];
  const pages = pagesFor(memory);
  const wasm = assemble(code, plan, memory, {
    version: ABI_VERSION,
    compiler: '0',
    name: 'random',
    target,
    entries: [{ export: 'run', inputs, outputs }],
    memory: { pages, bytes: pages * 65536, weights: memory.weights, activations: memory.activations },
    hashes: { model: '', options: '' },
    ops: [],
  });
  return runTwice(wasm, feeds) as Record<string, Float32Array>;
}

test('compiled, the graph behind the pipeline computes what the interpreter says', async () => {
  for (let seed = 1; seed <= COMPILED; seed++) {
    const graph = new Builder(seed, { floatOnly: true }).build(STEPS);
    if (graph.outputs.some((o) => isCodes(graph.value(o.value).type))) continue;
    runPasses(graph, PIPELINE);
    const feeds = randomFeeds(graph, seed, 2);
    expectWithinRanges(graph, feeds);
    const actual = await runModule(graph, feeds, 'simd');
    assert.equal(await runModule(graph, feeds, 'relaxed'), actual, `seed ${seed}: the targets differ`);
    for (const [name, expected] of Object.entries(outputsFor(graph, feeds))) {
      const error = relativeError({ type: expected.type, data: actual[name] as Float32Array }, expected);
      assert.ok(error < 1e-5, `seed ${seed}: ${name} is off by ${error}\n${print(graph)}`);
    }
  }
});

test.run();
