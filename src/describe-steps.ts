import { type Isa, STORAGE_BYTES } from './codegen/kernel.js';
import type { View } from './codegen/lowering.js';
import type { MemoryMap } from './codegen/plan/memory.js';
import { type Call, isRef, type Plan } from './codegen/plan/plan.js';
import { stepsOf } from './codegen/plan/steps.js';
import { describeProduct } from './describe-product.js';
import type { Graph, Node } from './ir/graph.js';
import { sizeOf } from './ir/type.js';
import type { Op } from './ops/op.js';
import type { StepInfo } from './runtime/abi.js';

/** What each step of a run computes and how much it has to do, in order. */
export function describeSteps(
  graph: Graph,
  plan: Plan,
  memory: MemoryMap,
  ops: ReadonlyMap<string, Op>,
  target: Isa,
): StepInfo[] {
  const nodes = new Map(graph.nodes.map((node) => [node.id, node]));
  return stepsOf(plan.calls).map((calls) => {
    const node = nodes.get((calls[0] as Call).node);
    const kernels = [...new Set(calls.map(({ kernel, params }) => kernel.name(params)))];
    const constants = bufferBytes(plan, calls, ['data', 'packed']);
    if (!node) {
      const bytes = constants + bufferBytes(plan, calls, ['input', 'output', 'arena']);
      return { ops: [], type: 'border', name: '', kernels, macs: 0, bytes };
    }
    const { reads, writes } = viewsOf(graph, plan, node);
    const product = describeProduct(graph, node, target);
    const bytes = constants + [...reads, ...writes].reduce((sum, view) => sum + viewBytes(view), 0);
    return {
      ops: [node.id, ...node.fused.map(({ id }) => id)],
      type: node.op,
      name: node.origin.name,
      kernels,
      macs: macsOf(graph, node, ops),
      ...(product ? { product } : {}),
      bytes,
      ...(writes.some(({ buffer }) => reads.some((view) => view.buffer === buffer)) || overlap(plan, memory, calls)
        ? { inPlace: true }
        : {}),
    };
  });
}

function macsOf(graph: Graph, node: Node, ops: ReadonlyMap<string, Op>): number {
  const inputs = node.inputs.map((id) => (id === null ? null : graph.value(id).type));
  return ops.get(node.op)?.macs?.(node.attrs, inputs, graph.output(node).type) ?? 0;
}

const viewBytes = ({ shape, storage }: View): number => sizeOf(shape) * STORAGE_BYTES[storage];

/** The activations that a node reads and writes, in memory. */
function viewsOf(graph: Graph, { views }: Plan, node: Node): { reads: View[]; writes: View[] } {
  const of = (ids: readonly (number | null)[]): View[] =>
    [...new Set(ids)].flatMap((id) => (id === null || graph.value(id).data ? [] : (views.get(id) ?? [])));
  return { reads: of(node.inputs), writes: of(node.outputs) };
}

const namedBuffers = (calls: readonly Call[]): number[] => [
  ...new Set(calls.flatMap(({ args }) => args.flatMap((arg) => (isRef(arg) ? [arg.buffer] : [])))),
];

/** Whether two buffers of a step share memory: one is written where another is not needed any more. */
function overlap({ buffers }: Plan, { addresses }: MemoryMap, calls: readonly Call[]): boolean {
  const ranges = namedBuffers(calls)
    .filter((i) => buffers[i]?.kind === 'arena')
    .map((i) => [addresses[i] as number, (addresses[i] as number) + (buffers[i]?.bytes ?? 0)] as const)
    .sort(([a], [b]) => a - b);
  return ranges.some(([start], i) => i > 0 && start < (ranges[i - 1]?.[1] ?? 0));
}

/** Bytes of the buffers of some kinds that calls name, each counted once. */
function bufferBytes(plan: Plan, calls: readonly Call[], kinds: readonly string[]): number {
  return namedBuffers(calls).reduce((sum, i) => {
    const buffer = plan.buffers[i];
    return sum + (buffer && kinds.includes(buffer.kind) ? buffer.bytes : 0);
  }, 0);
}
