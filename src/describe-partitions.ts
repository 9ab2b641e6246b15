import { convertsCodes } from './ir/conversions.js';
import type { Graph, Node } from './ir/graph.js';
import { typeText } from './ir/print.js';
import { sizeOf } from './ir/type.js';

/** A value at the border of an int8 region. */
export interface BorderValue {
  readonly name: string;
  readonly type: string;
  /** Who makes it (for inputs) or reads it (for outputs), as `op (id)`. */
  readonly other: readonly string[];
}

/** An int8 region of the compiled graph: what oneDNN Graph calls a partition. */
export interface Partition {
  readonly region: number;
  /** Ids of its ops in execution order; requantizes included. */
  readonly ops: readonly number[];
  /** How many ops of each type. */
  readonly types: Readonly<Record<string, number>>;
  readonly inputs: readonly BorderValue[];
  readonly outputs: readonly BorderValue[];
  /** The conversions at its borders and inside, and the elements that they convert per run. */
  readonly conversions: {
    readonly quantize: number;
    readonly dequantize: number;
    readonly requantize: number;
    readonly elements: number;
  };
}

/** The int8 regions of a graph that went through the pipeline. */
export function describePartitions(graph: Graph): Partition[] {
  const regions = new Map<number, Node[]>();
  for (const node of graph.nodes)
    if (node.region !== undefined) regions.set(node.region, [...(regions.get(node.region) ?? []), node]);
  const producers = graph.producers();
  const consumers = graph.consumers();
  return [...regions].map(([region, nodes]) => describePartition(graph, region, nodes, producers, consumers));
}

function describePartition(
  graph: Graph,
  region: number,
  nodes: readonly Node[],
  producers: ReadonlyMap<number, Node>,
  consumers: ReturnType<Graph['consumers']>,
): Partition {
  const inside = new Set(nodes);
  const border = (id: number, other: readonly string[]): BorderValue => {
    const { name, type } = graph.value(id);
    return { name, type: typeText(type, 'short'), other };
  };
  const title = (node: Node): string => `${node.op} (${node.id})`;
  const read = new Set(nodes.flatMap((node) => node.inputs.filter((id) => id !== null && !graph.value(id).data)));
  const entering = [...read].filter((id) => !inside.has(producers.get(id as number) as Node)) as number[];
  const leaving = nodes
    .flatMap((node) => node.outputs)
    .filter((id) => graph.isOutput(id) || (consumers.get(id) ?? []).some((r) => !inside.has(r.node)));
  const quantizes = entering.flatMap((id) => producers.get(id) ?? []).filter((n) => n.op === 'quantize');
  const outside = leaving.flatMap((id) => (consumers.get(id) ?? []).map((r) => r.node)).filter((n) => !inside.has(n));
  const dequantizes = [...new Set(outside.filter((n) => n.op === 'dequantize'))];
  const requantizes = nodes.filter((n) => n.op === 'requantize');
  const converted = [...quantizes, ...dequantizes, ...requantizes];
  const types: Record<string, number> = {};
  for (const { op } of nodes) if (!convertsCodes(op)) types[op] = (types[op] ?? 0) + 1;
  return {
    region,
    ops: nodes.map((n) => n.id),
    types,
    inputs: entering.map((id) => {
      const maker = producers.get(id);
      return border(id, [maker ? title(maker) : 'input']);
    }),
    outputs: leaving.map((id) => {
      const readers = (consumers.get(id) ?? []).map((r) => r.node).filter((n) => !inside.has(n));
      return border(id, [...readers.map(title), ...(graph.isOutput(id) ? ['output'] : [])]);
    }),
    conversions: {
      quantize: quantizes.length,
      dequantize: dequantizes.length,
      requantize: requantizes.length,
      elements: converted.reduce((sum, n) => sum + sizeOf(graph.output(n).type.shape), 0),
    },
  };
}
