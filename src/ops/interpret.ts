import type { Graph, Node } from '../ir/graph.js';
import type { OpDef, OpTable } from '../ir/op.js';
import type { Tensor } from '../ir/tensor.js';
import { isCodes, sameShape, type TensorType } from '../ir/type.js';
import { conform, toReal } from '../quant/tensors.js';
import { assert, internalError } from '../support/errors.js';

/** The tensors of a run, by value id. */
export type Environment = Map<number, Tensor>;

/**
 * Runs a graph at any stage from the ops' references: constant folding, tests, and the validation of passes.
 * `feeds` are by input name, in float32 or the input's own dtype. Returns every value that was computed.
 */
export function interpret(graph: Graph, ops: OpTable, feeds: Readonly<Record<string, Tensor>>): Environment {
  const env: Environment = new Map();
  for (const value of graph.values.values()) if (value.data) env.set(value.id, value.data);
  for (const id of graph.inputs) {
    const { name, type } = graph.value(id);
    const feed = feeds[name];
    assert(feed && sameShape(feed.type.shape, type.shape), `interpreter: no fitting data for input "${name}"`);
    env.set(id, conform(feed, type));
  }
  for (const node of graph.nodes) {
    const outputs = evaluateNode(graph, ops, node, env);
    node.outputs.forEach((id, i) => {
      env.set(id, outputs[i] as Tensor);
    });
  }
  return env;
}

/** The outputs of a run by name. */
export function outputsOf(graph: Graph, env: Environment): Record<string, Tensor> {
  return Object.fromEntries(graph.outputs.map(({ value, name }) => [name, env.get(value) as Tensor]));
}

/** Whether a node computes on codes: its result or a computed operand holds codes. */
export function computesOnCodes(graph: Graph, node: Node): boolean {
  const out = node.outputs[0];
  if (out !== undefined && isCodes(graph.value(out).type)) return true;
  return node.inputs.some((id) => {
    if (id === null) return false;
    const value = graph.value(id);
    return value.data === undefined && isCodes(value.type);
  });
}

/** Evaluates one node from an environment that holds its inputs; `types` are those of the results, if not the graph's. */
export function evaluateNode(
  graph: Graph,
  ops: OpTable,
  node: Node,
  env: ReadonlyMap<number, Tensor>,
  types = node.outputs.map((id) => graph.value(id).type),
): Tensor[] {
  const op = ops.get(node.op);
  if (!op) throw internalError(`unknown op ${node.op} (${node.id})`);
  const inputs = node.inputs.map((id) => (id === null ? null : (env.get(id) as Tensor)));
  return evaluateOp(op, node, inputs, types, computesOnCodes(graph, node));
}

function evaluateOp(
  op: OpDef,
  node: Node,
  inputs: readonly (Tensor | null)[],
  types: readonly TensorType[],
  onCodes: boolean,
): Tensor[] {
  if (onCodes && op.integer) {
    const result = op.integer(node.attrs, inputs, types[0] as TensorType);
    return [conform(result, types[0] as TensorType)];
  }
  const results = op.reference(
    node.attrs,
    inputs.map((t) => (t === null ? null : toReal(t))),
  );
  return results.map((t, i) => conform(t, types[i] as TensorType));
}
