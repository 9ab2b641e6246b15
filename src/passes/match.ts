import type { Graph, Node } from '../ir/graph.js';

/** One read of a value. */
export interface Reader {
  readonly node: Node;
  readonly slot: number;
}

/**
 * Who produces and who reads each value, as of one moment. A pass that changes edges keeps them true where it looks
 * again (`absorb`, `forget`, `moveReaders`): making them anew per node would be quadratic.
 */
export interface Links {
  readonly graph: Graph;
  readonly producers: Map<number, Node>;
  readonly consumers: Map<number, Reader[]>;
}

/** The links of a graph. */
export const linksOf = (graph: Graph): Links => ({
  graph,
  producers: graph.producers(),
  consumers: graph.consumers(),
});

/** The reads of a value. */
export const readersOf = (links: Links, value: number): readonly Reader[] => links.consumers.get(value) ?? [];

/** A node is gone: it reads nothing any more. */
export function forget(links: Links, node: Node): void {
  for (const id of node.inputs)
    if (id !== null)
      links.consumers.set(
        id,
        readersOf(links, id).filter((r) => r.node !== node),
      );
}

/** A node was fused into another, which now makes its results and reads its operands. */
export function absorb(links: Links, node: Node, host: Node): void {
  forget(links, node);
  forget(links, host);
  for (const id of node.outputs) links.producers.set(id, host);
  host.inputs.forEach((id, slot) => {
    if (id !== null) links.consumers.set(id, [...readersOf(links, id), { node: host, slot }]);
  });
}

/** Whoever read `from` reads `to` now. */
export function moveReaders(links: Links, from: number, to: number): void {
  links.consumers.set(to, [...readersOf(links, to), ...readersOf(links, from)]);
  links.consumers.delete(from);
}

/** The only node that reads a value, if there is exactly one read and the value is not an output of the graph. */
export function onlyReader(links: Links, value: number): Node | undefined {
  const readers = readersOf(links, value);
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
