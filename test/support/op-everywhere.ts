/** One small model in three places: onnxruntime, the references, the compiled module. */
import { compile } from '../../src/compile.js';
import { importOnnx } from '../../src/frontends/onnx/import.js';
import type { Graph } from '../../src/ir/graph.js';
import { allocate, type Tensor } from '../../src/ir/tensor.js';
import { sizeOf } from '../../src/ir/type.js';
import { OPS } from '../../src/ops/index.js';
import { interpret, outputsOf } from '../../src/ops/interpret.js';
import { runTwice } from './compiled.js';
import { type ModelSpec, model } from './onnx.js';
import { type CheckOptions, type OneNode, oneNode } from './op-check.js';
import { runOrt } from './ort.js';
import { expectClose, random } from './tensors.js';

/** Options of a comparison. */
export interface EverywhereOptions extends CheckOptions {
  /** Least and greatest value of the inputs; integers are drawn between them as well. */
  readonly between?: readonly [number, number];
  /** Values that every input starts with. */
  readonly first?: readonly number[];
  /** Without onnxruntime, where it lacks the op or form. */
  readonly withoutOrt?: boolean;
}

/** Random inputs of a graph. */
export function feedsOf(graph: Graph, seed: number, { between = [-3, 3], first = [] }: EverywhereOptions) {
  const next = random(seed);
  const [lo, hi] = between;
  const draw = (dtype: string): number => {
    if (dtype === 'bool') return next() < 0.5 ? 0 : 1;
    const least = dtype === 'u8' ? Math.max(lo, 0) : lo;
    return dtype === 'f32' ? lo + (hi - lo) * next() : Math.floor(least + (hi - least + 1) * next());
  };
  const feeds = graph.inputs.map((id) => {
    const { name, type } = graph.value(id);
    const data = allocate(type.dtype, sizeOf(type.shape));
    for (let i = 0; i < data.length; i++) {
      const v = (type.dtype === 'bool' ? undefined : first[i]) ?? draw(type.dtype);
      data[i] = (data instanceof BigInt64Array ? BigInt(Math.trunc(v)) : v) as never;
    }
    return [name, { type, data }] as const;
  });
  return Object.fromEntries(feeds) as Record<string, Tensor>;
}

/** Compiles a model and runs it on inputs. */
async function runCompiled(bytes: Uint8Array, feeds: Readonly<Record<string, Tensor>>) {
  const { wasm, report } = await compile(bytes);
  const results = runTwice(wasm, feeds);
  const outputs = report.entries[0].outputs.map(({ name, dtype, shape }): [string, Tensor] => [
    name,
    { type: { dtype, shape }, data: results[name] },
  ]);
  return Object.fromEntries(outputs);
}

/** Compares all outputs of a model in the three places. Returns the imported graph. */
export async function checkModelEverywhere(
  spec: ModelSpec,
  what: string,
  options: EverywhereOptions = {},
): Promise<Graph> {
  const bytes = model(spec);
  const graph = importOnnx(bytes);
  const feeds = feedsOf(graph, what.length * 31 + 7, options);
  const actual = outputsOf(graph, interpret(graph, OPS, feeds));
  if (!options.withoutOrt)
    for (const [name, tensor] of Object.entries(await runOrt(bytes, feeds)))
      expectClose(actual[name], tensor, options.tolerance, `${what}: ${name} of the reference`);
  for (const [name, tensor] of Object.entries(await runCompiled(bytes, feeds)))
    expectClose(tensor, actual[name], 4e-6, `${what}: ${name} of the module`);
  return graph;
}

/** A node for `checkEverywhere`: inputs may also have a shape and a dtype without values. */
export interface TypedNode extends Omit<OneNode, 'inputs'> {
  readonly inputs: readonly (OneNode['inputs'][number] | { readonly shape: readonly number[]; readonly of: Typed })[];
}
type Typed = 'f32' | 'i8' | 'u8' | 'i32' | 'i64' | 'bool';

/** The model of one node with inputs of any dtype. */
function typedNode(node: TypedNode): ModelSpec {
  const inputs = node.inputs.map((v) => (v && 'of' in v ? [...v.shape] : v)) as OneNode['inputs'];
  const spec = oneNode({ ...node, inputs });
  const typed = node.inputs.flatMap((v, i) => (v && 'of' in v ? [[`x${i}`, { shape: v.shape, dtype: v.of }]] : []));
  return { ...spec, inputs: { ...spec.inputs, ...Object.fromEntries(typed) } };
}

/** Compares the results of one node in the three places. */
export const checkEverywhere = (node: TypedNode, options: EverywhereOptions = {}): Promise<Graph> =>
  checkModelEverywhere(
    typedNode(node),
    `${node.op}-${node.opset ?? 13} ${JSON.stringify(node.attrs ?? {})} ${JSON.stringify(node.inputs.map((v) => (v && 'shape' in v ? v.shape : v)))}`,
    options,
  );
