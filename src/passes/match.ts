import type { Graph, Node, Value } from '../ir/graph.js';

/** Who produces and who reads each value, as of one moment; passes make it anew after they changed edges. */
export interface Links {
  readonly graph: Graph;
  readonly producers: ReadonlyMap<number, Node>;
  readonly consumers: ReadonlyMap<number, readonly { readonly node: Node; readonly slot: number }[]>;
}

/** The links of a graph. */
export const linksOf = (graph: Graph): Links => ({
  graph,
  producers: graph.producers(),
  consumers: graph.consumers(),
});

/** The only node that reads a value, if there is exactly one read and the value is not an output of the graph. */
export function onlyReader(links: Links, value: number): Node | undefined {
  const readers = links.consumers.get(value) ?? [];
  return readers.length === 1 && !links.graph.isOutput(value) ? readers[0]?.node : undefined;
}

/** Whether a node's result is an unrounded intermediate that only one node reads: it may be fused into it. */
export function isPrivate(links: Links, node: Node): boolean {
  const out = links.graph.output(node);
  return out.type.quant === undefined && onlyReader(links, out.id) !== undefined;
}

/** The producer of input `slot`, if it is one of the given ops. */
export function producerOf(links: Links, node: Node, slot: number, ops: ReadonlySet<string>): Node | undefined {
  const id = node.inputs[slot];
  const producer = id === null || id === undefined ? undefined : links.producers.get(id);
  return producer && ops.has(producer.op) ? producer : undefined;
}

/** Whether a value is a constant. */
export const isConstant = (value: Value | undefined): boolean => value?.data !== undefined;
