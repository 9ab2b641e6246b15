/** Small models, imported and interpreted, against onnxruntime without optimizations. */
import * as assert from 'uvu/assert';
import { importOnnx } from '../../src/frontends/onnx/import.js';
import type { Graph } from '../../src/ir/graph.js';
import { allocate, type Tensor } from '../../src/ir/tensor.js';
import { sizeOf } from '../../src/ir/type.js';
import { OPS } from '../../src/ops/index.js';
import { interpret, outputsOf } from '../../src/ops/interpret.js';
import { QcError } from '../../src/support/errors.js';
import { type AttrSpec, type ModelSpec, model, type TensorSpec } from './onnx.js';
import { runOrt } from './ort.js';
import { expectClose, random } from './tensors.js';

/** A model of one node: what the tests of ops mostly need. Inputs that have values become initializers. */
export interface OneNode {
  readonly op: string;
  readonly domain?: string;
  readonly opset?: number;
  readonly attrs?: Readonly<Record<string, AttrSpec>>;
  /** In order: a shape is a float input of the graph, a tensor an initializer, null an absent input. */
  readonly inputs: readonly (readonly number[] | TensorSpec | null)[];
  readonly outputs?: number;
}

const isShape = (input: readonly number[] | TensorSpec): input is readonly number[] => Array.isArray(input);

/** The model of one node; its inputs are x0, x1, ..., its outputs y0, ... */
export function oneNode({ op, domain = '', opset = 13, attrs = {}, inputs, outputs = 1 }: OneNode): ModelSpec {
  const named = inputs.map((input, i) => [`x${i}`, input] as const);
  const results = Array.from({ length: outputs }, (_, i) => `y${i}`);
  return {
    opset,
    ...(domain === '' ? {} : { opsets: { [domain]: 1 } }),
    inputs: Object.fromEntries(named.flatMap(([name, v]) => (v && isShape(v) ? [[name, v]] : []))),
    initializers: Object.fromEntries(named.flatMap(([name, v]) => (v && !isShape(v) ? [[name, v]] : []))),
    nodes: [{ op, domain, attrs, inputs: named.map(([name, v]) => (v ? name : '')), outputs: results }],
    outputs: results,
  };
}

/** Random tensors for the inputs of a graph: floats in [-range, range), bytes anywhere. */
export function randomFeeds(graph: Graph, seed: number, range = 3): Record<string, Tensor> {
  const next = random(seed);
  const feeds = graph.inputs.map((id) => {
    const { name, type } = graph.value(id);
    const data = allocate(type.dtype, sizeOf(type.shape));
    for (let i = 0; i < data.length; i++) {
      const v =
        type.dtype === 'f32' ? (next() * 2 - 1) * range : Math.floor(next() * 256) - (type.dtype === 'i8' ? 128 : 0);
      data[i] = (data instanceof BigInt64Array ? BigInt(v) : v) as never;
    }
    return [name, { type, data }] as const;
  });
  return Object.fromEntries(feeds);
}

/** Options of a comparison. */
export interface CheckOptions {
  /** Relative to the greatest magnitude of each output. */
  readonly tolerance?: number;
  readonly range?: number;
}

/** Imports a model and compares every output of its interpretation with onnxruntime's. Returns the graph. */
export async function checkModel(spec: ModelSpec, what: string, options: CheckOptions = {}): Promise<Graph> {
  const bytes = model(spec);
  const graph = importOnnx(bytes);
  const feeds = randomFeeds(graph, what.length * 31 + 7, options.range);
  const expected = await runOrt(bytes, feeds);
  const actual = outputsOf(graph, interpret(graph, OPS, feeds));
  for (const [name, tensor] of Object.entries(expected))
    expectClose(actual[name], tensor, options.tolerance, `${what}: ${name}`);
  return graph;
}

/** Checks one node. */
export const checkNode = (node: OneNode, what = node.op, options: CheckOptions = {}): Promise<Graph> =>
  checkModel(oneNode(node), what, options);

/** The ops of a graph, in order. */
export const opsOf = (graph: Graph): string[] => graph.nodes.map((node) => node.op);

/** Asserts that importing fails with a model error whose text matches. */
export function expectImportError(spec: ModelSpec, pattern: RegExp): void {
  try {
    importOnnx(model(spec));
  } catch (error) {
    assert.instance(error, QcError);
    const { kind } = error as QcError;
    const text = (error as QcError).format();
    if (kind !== 'model' || !pattern.test(text)) throw new Error(`${kind} error: ${text}`);
    return;
  }
  throw new Error(`no error, ${pattern} expected`);
}
