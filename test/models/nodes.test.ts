/**
 * Node by node: every int8 node of the compiled graphs against independent evaluations, so that an error is found where
 * it is made and not through what a whole network does with it.
 */
import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { loadTestDigits } from '../../examples/digits/mnist.js';
import { compile, lower } from '../../src/compile.js';
import type { Graph, Node } from '../../src/ir/graph.js';
import { f32, type Tensor } from '../../src/ir/tensor.js';
import { isCodes, type Quant } from '../../src/ir/type.js';
import { OPS } from '../../src/ops/index.js';
import { computesOnCodes, type Environment, evaluateNode, interpret, outputsOf } from '../../src/ops/interpret.js';
import { resolveOptions } from '../../src/options.js';
import { toReal } from '../../src/quant/tensors.js';
import { DIGITS, hasModels, INT8_MODELS, loadCompiled, modelBytes, runNet, testSets } from '../support/models.js';
import { hasOrt } from '../support/ort.js';
import { random, reals } from '../support/tensors.js';
import { exactReal } from './exact.js';
import { compileExposed, OrtValues } from './exposed.js';

/** Codes may differ by 1 where the exact value is this close to a tie, in quanta. */
const TIE = 1e-5;

/** Real results (an int8 node that gives floats) may differ by this part of the greatest magnitude. */
const REAL_TOLERANCE = 1e-6;

/** A model with inputs for it; `sets` are real data first, then random. */
interface Case {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly sets: readonly { readonly name: string; readonly inputs: readonly Tensor[] }[];
}

function digits(): Case {
  const images = loadTestDigits();
  const real = [0, 1].map((i) => ({
    name: `digit ${i}`,
    inputs: [
      f32(
        [1, 1, 28, 28],
        Float32Array.from(images.pixels(i), (v) => v / 255),
      ),
    ],
  }));
  const noise = { name: 'random', inputs: [reals(random(5), [1, 1, 28, 28], 1.2)] };
  return { name: 'digits', bytes: readFileSync(DIGITS), sets: [...real, noise] };
}

const shared = (name: string): Case => ({ name, bytes: modelBytes(name), sets: testSets(name) });

const graphOf = (bytes: Uint8Array): Graph => lower(bytes, resolveOptions({})).graph;

const feedsOf = (graph: Graph, inputs: readonly Tensor[]): Record<string, Tensor> =>
  Object.fromEntries(graph.inputs.map((id, i) => [graph.value(id).name, inputs[i] as Tensor]));

const label = (node: Node): string => `${node.op} (${node.id}) "${node.origin.name}"`;

/** What a walk over the nodes of a graph found. */
interface Walk {
  nodes: number;
  codes: number;
  /** Codes that differ by 1 and lie within `TIE` of a tie. */
  ties: number;
  /** Codes that differ by 1 where the exact value says that the other evaluation is off: its sums are float32. */
  theirs: number;
}

/** Compares the codes of one node; `inputs` are those that both evaluations had. */
function compareCodes(graph: Graph, node: Node, inputs: Environment, ours: Tensor, other: Tensor, walk: Walk): void {
  const quant = graph.output(node).type.quant as Quant;
  const operands = node.inputs.map((id) => (id === null ? null : (inputs.get(id) as Tensor)));
  walk.codes += ours.data.length;
  for (let i = 0; i < ours.data.length; i++) {
    const [a, b] = [Number(ours.data[i]), Number(other.data[i])];
    if (a === b) continue;
    const quanta = exactReal(graph, node, operands, i) / (quant.scales[0] as number);
    const rounded = Math.min(Math.max(Math.round(quanta) + (quant.zeroPoints[0] as number), quant.min), quant.max);
    const near = Math.abs(quanta - Math.floor(quanta) - 0.5) <= TIE;
    const message = `${label(node)}: code ${i} is ${a}, onnxruntime has ${b}, the exact value is ${quanta} quanta`;
    assert.ok(Math.abs(a - b) === 1 && (near || a === rounded), message);
    if (near) walk.ties++;
    else walk.theirs++;
  }
}

function compareReals(node: Node, ours: Tensor, other: Tensor): void {
  let most = 0;
  for (const v of other.data) most = Math.max(most, Math.abs(Number(v)));
  for (let i = 0; i < ours.data.length; i++) {
    const difference = Math.abs(Number(ours.data[i]) - Number(other.data[i]));
    assert.ok(difference <= REAL_TOLERANCE * most, `${label(node)}: element ${i} is off by ${difference}`);
  }
}

/** Evaluates every node on codes from onnxruntime's values of its operands and compares with its result. */
function walkNodes(graph: Graph, theirs: OrtValues, walk: Walk): void {
  for (const node of graph.nodes) {
    if (!computesOnCodes(graph, node)) continue;
    const inputs: Environment = new Map(node.inputs.flatMap((id) => (id === null ? [] : [[id, theirs.of(id)]])));
    const ours = evaluateNode(graph, OPS, node, inputs)[0] as Tensor;
    const out = graph.output(node);
    assert.is(ours.data.length, theirs.of(out.id).data.length, label(node));
    if (isCodes(out.type)) compareCodes(graph, node, inputs, ours, theirs.of(out.id), walk);
    else compareReals(node, ours, theirs.of(out.id));
    walk.nodes++;
  }
}

function testReferences(load: () => Case, name: string): void {
  test(`${name}: every int8 node equals onnxruntime from equal codes`, async () => {
    const { bytes, sets } = load();
    const graph = graphOf(bytes);
    const walk: Walk = { nodes: 0, codes: 0, ties: 0, theirs: 0 };
    for (const { inputs } of sets) walkNodes(graph, await OrtValues.run(bytes, graph, feedsOf(graph, inputs)), walk);
    const int8 = graph.nodes.filter((n) => n.placement?.int8).length;
    assert.ok(int8 > 0 && walk.nodes >= int8 * sets.length, `${walk.nodes} nodes walked`);
    const { nodes, codes, ties, theirs } = walk;
    console.log(
      `  ${name}: ${nodes} nodes in ${sets.length} runs, ${codes} codes: ${ties} differ by 1 at ties, ${theirs} where onnxruntime's float sums are off`,
    );
  });
}

/** Throws unless two tensors of reals have the same bits. */
function expectSame(actual: Float32Array, expected: Float32Array, what: string): void {
  assert.is(actual.length, expected.length, what);
  const at = actual.findIndex((v, i) => !Object.is(v, expected[i]) && v !== expected[i]);
  assert.is(at, -1, `${what}: element ${at} is ${actual[at]}, the interpreter has ${expected[at]}`);
}

/** Every value on codes, in the compiled module and in the interpreter, for one input. */
function compareModule(
  graph: Graph,
  run: (inputs: readonly Tensor[]) => Readonly<Record<string, Float32Array>>,
  exposed: ReadonlyMap<number, string>,
  inputs: readonly Tensor[],
): number {
  const env = interpret(graph, OPS, feedsOf(graph, inputs));
  const actual = run(inputs);
  let count = 0;
  for (const node of graph.nodes) {
    const name = exposed.get(node.outputs[0] as number);
    if (name === undefined) continue;
    const expected = toReal(env.get(node.outputs[0] as number) as Tensor).data as Float32Array;
    expectSame(actual[name] as Float32Array, expected, label(node));
    count++;
  }
  return count;
}

function testModule(load: () => Case, name: string): void {
  test(`${name}: the compiled module has the interpreter's codes at every node`, async () => {
    const { bytes, sets } = load();
    const graph = graphOf(bytes);
    const { net, exposed } = await compileExposed(graph);
    const run = (inputs: readonly Tensor[]): Record<string, Float32Array> =>
      Object.fromEntries(runNet(net, inputs).map((data, i) => [net.outputs[i]?.name, data]));
    const int8 = graph.nodes.filter((n) => n.placement?.int8).length;
    let count = 0;
    for (const set of [sets[0], sets.at(-1)]) count += compareModule(graph, run, exposed, set?.inputs ?? []);
    assert.ok(int8 > 0 && count >= 2 * (int8 - 1), `${count} nodes compared`);
    console.log(`  ${name}: ${count} nodes compared in 2 runs`);
  });

  // With inner values exposed buffers live longer: this is the memory plan that users get.
  test(`${name}: the module as users get it has the interpreter's outputs`, async () => {
    const { bytes, sets } = load();
    const graph = graphOf(bytes);
    const net = await loadCompiled(await compile(bytes, { name }));
    for (const { name: set, inputs } of [sets[0], sets.at(-1)] as [Case['sets'][0], Case['sets'][0]]) {
      const expected = outputsOf(graph, interpret(graph, OPS, feedsOf(graph, inputs)));
      for (const [i, data] of runNet(net, inputs).entries())
        expectSame(data, expected[net.outputs[i]?.name ?? '']?.data as Float32Array, `${name}, ${set}`);
    }
  });
}

const withOrt = hasOrt('int8 nodes against onnxruntime');
const names = hasModels('int8 nodes of the shared models') ? INT8_MODELS : [];
const cases: (readonly [() => Case, string])[] = [
  [digits, 'digits'],
  ...names.map((name) => [() => shared(name), name] as const),
];
for (const [load, name] of cases) {
  if (withOrt) testReferences(load, name);
  testModule(load, name);
}

test.run();
