import type { Graph, Node, Value } from '../ir/graph.js';
import { isLight } from './decide-regions.js';
import { codeSlots, hasInt8Form, PRODUCTS } from './int8-rules.js';
import { type Links, linksOf, readersOf } from './match.js';
import { dataInputs, movesData } from './moves-data.js';
import type { PassContext } from './pass.js';
import { isSelected } from './quantize-placement.js';
import { regionsOf } from './regions.js';

/** Whether a node of a float network could compute on codes, were its operands on grids: what its grids do not decide. */
export function couldBeInt8(graph: Graph, node: Node, { ops, opsToQuantize, opIdsToSkip }: PassContext): boolean {
  if (!hasInt8Form(ops, node) || node.op === 'reduce_mean') return false;
  if (!isSelected(graph, node, opsToQuantize) || opIdsToSkip.includes(node.id)) return false;
  const slots = codeSlots(node).flatMap((slot) => graph.optionalInput(node, slot) ?? []);
  const operands = movesData(ops, node) ? dataInputs(graph, node) : slots;
  if (![...operands, graph.output(node)].every((v) => v.type.dtype === 'f32')) return false;
  if (node.op === 'matmul') return node.attrs.alpha === 1 && !node.attrs.transX;
  return !PRODUCTS.has(node.op) || couldSumCodes(graph, node);
}

function couldSumCodes(graph: Graph, node: Node): boolean {
  const [w, bias] = [graph.input(node, 1), graph.optionalInput(node, 2)];
  if (bias && !bias.data) return false;
  if (!w.data) return node.op === 'mul' || node.op === 'fc';
  return node.op !== 'conv2d_transpose' || node.attrs.groups === 1;
}

/** A value of a float network that needs a grid. */
export interface ScaleTarget {
  readonly name: string;
  /** The value whose numbers choose the grid: itself, or where data only move, the one that they come from or go to. */
  readonly source: string;
  /** The op type that makes the source, for settings per op type; `input` for inputs of the graph. */
  readonly op: string;
  /** Where the source is made, for messages: id and name of the node; null for inputs. */
  readonly node: { readonly id: number; readonly name: string } | null;
}

/**
 * The values of a fused float network that get grids, in execution order: operands of int8 nodes. A product whose result
 * only float nodes and outputs read gives reals, so that nothing is rounded there; light ops at the end of the network
 * stay in float for the same reason.
 */
export function scaleTargets(graph: Graph, context: PassContext): ScaleTarget[] {
  const links = linksOf(graph);
  const int8 = int8Nodes(links, context);
  const order = [...graph.inputs, ...graph.nodes.flatMap((n) => n.outputs)];
  return order.flatMap((id) => {
    const value = graph.value(id);
    if (!needsGrid(links, value, int8)) return [];
    const root = rootOf(links, context, value, int8);
    const producer = links.producers.get(root.id);
    const node = producer ? { id: producer.id, name: producer.origin.name } : null;
    return [{ name: value.name, source: root.name, op: producer?.op ?? 'input', node }];
  });
}

/** Light nodes that only float readers wait for leave int8, and regions without a heavy node, until nothing changes. */
function int8Nodes(links: Links, context: PassContext): ReadonlySet<Node> {
  const { graph } = links;
  let int8 = new Set(graph.nodes.filter((node) => couldBeInt8(graph, node, context)));
  for (let before = -1; before !== int8.size; ) {
    before = int8.size;
    const regions = regionsOf(graph, [...int8], (value) => !value.data);
    int8 = new Set(regions.filter((nodes) => nodes.some((n) => !isLight(context.ops, n))).flat());
    for (const node of [...graph.nodes].reverse()) {
      const ends = !node.outputs.some((id) => needsGrid(links, graph.value(id), int8));
      if (ends && !givesReals(node)) int8.delete(node);
    }
  }
  return int8;
}

/** Ops that compute on codes and may give reals. */
const givesReals = (node: Node): boolean =>
  PRODUCTS.has(node.op) || node.op === 'matmul' || (node.op === 'pool2d' && node.attrs.poolType === 'avg');

/** Whether an int8 node reads a value as codes. */
function needsGrid(links: Links, value: Value, int8: ReadonlySet<Node>): boolean {
  if (value.data || value.type.dtype !== 'f32') return false;
  return readersOf(links, value.id).some(({ node, slot }) => int8.has(node) && codeSlots(node).includes(slot));
}

/** The value that a grid is chosen by. */
function rootOf(links: Links, context: PassContext, value: Value, int8: ReadonlySet<Node>): Value {
  const { graph } = links;
  const readers = readersOf(links, value.id);
  const [only] = readers;
  // What only a concatenation reads is written on its grid at once.
  if (readers.length === 1 && only?.node.op === 'concat' && int8.has(only.node) && !graph.isResult(value.id))
    return rootOf(links, context, graph.output(only.node), int8);
  const producer = links.producers.get(value.id);
  const moved = producer && producer.op !== 'concat' && movesData(context.ops, producer) && int8.has(producer);
  const from = moved ? dataInputs(graph, producer)[0] : undefined;
  return from && !from.data ? rootOf(links, context, from, int8) : value;
}
