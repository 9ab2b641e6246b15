import type { Plan } from './codegen/plan/plan.js';
import { conversionNeeds, convertsCodes } from './ir/conversions.js';
import type { Graph, Node, Value } from './ir/graph.js';
import { isCodes, type TensorType } from './ir/type.js';
import type { OpInfo } from './runtime/abi.js';

/** A type as text, such as `u8[1x3x224x224] s=0.0078 zp=128`. */
function typeText({ dtype, shape, quant }: TensorType): string {
  const size = `${dtype}[${shape.join('x')}]`;
  if (!quant) return size;
  if (quant.axis !== null) return `${size} s[${quant.scales.length}] along axis ${quant.axis}`;
  return `${size} s=${Number((quant.scales[0] as number).toPrecision(4))} zp=${quant.zeroPoints[0]}`;
}

/** Whether an op only crosses between reals and codes: neither int8 work nor float work. */
export const isConversion = ({ type }: Pick<OpInfo, 'type'>): boolean => convertsCodes(type);

/** What became of every op of a compiled graph, in execution order. */
export function describeOps(graph: Graph, plan: Plan): OpInfo[] {
  const kernels = kernelNames(plan);
  const needs = conversionNeeds(graph);
  return graph.nodes.map((node) => describeOp(graph, node, kernels.get(node.id), needs.get(node)));
}

/** The kernels that compute each node; the zeroing of halos is not told. */
function kernelNames(plan: Plan): Map<number, Set<string>> {
  const names = new Map<number, Set<string>>();
  for (const { node, kernel, params } of plan.calls) {
    const name = kernel.name(params);
    if (name.includes('-fill-')) continue;
    names.set(node, (names.get(node) ?? new Set()).add(name));
  }
  return names;
}

function describeOp(
  graph: Graph,
  node: Node,
  kernels: ReadonlySet<string> | undefined,
  neededBy: string | undefined,
): OpInfo {
  const text = (v: Value): string => typeText(v.type);
  const int8 = node.placement?.int8 ?? (isConversion({ type: node.op }) && isCodes(graph.output(node).type));
  return {
    id: node.id,
    type: node.op,
    name: node.origin.name,
    int8,
    ...(!int8 && !convertsCodes(node.op) && node.placement?.reason ? { reason: node.placement.reason } : {}),
    ...(neededBy === undefined ? {} : { neededBy }),
    ...(node.region === undefined ? {} : { region: node.region }),
    inputs: node.inputs.flatMap((id) => (id === null ? [] : [text(graph.value(id))])),
    outputs: node.outputs.map((id) => text(graph.value(id))),
    ...scaleSources(graph, node),
    ...(kernels ? { kernel: [...kernels].join(', ') } : {}),
    ...(node.fused.length > 0 ? { fused: node.fused.map((f) => ({ id: f.id, type: f.op })) } : {}),
  };
}

/** Where the scales of a node's result and weights come from. */
function scaleSources(graph: Graph, node: Node): Pick<OpInfo, 'scaleOf'> {
  const output = graph.output(node).gridSource;
  const constant = node.inputs
    .flatMap((id) => (id === null ? [] : [graph.value(id)]))
    .find((v) => v.data && v.gridSource);
  const weights = constant?.gridSource;
  if (output === undefined && weights === undefined) return {};
  return { scaleOf: { ...(output === undefined ? {} : { output }), ...(weights === undefined ? {} : { weights }) } };
}
