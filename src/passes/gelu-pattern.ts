import type { Graph, Node, Value } from '../ir/graph.js';
import type { Patch } from '../ir/patch.js';
import { isPrivate, type Links, onlyReader, producerOf } from './match.js';

const PRODUCT = new Set(['elementwise_mul']);
const SCALING = new Set(['elementwise_mul', 'elementwise_div']);

/** Whether a value is a constant of one element near a number. */
const isNumber = (v: Value, number: number): boolean =>
  v.data?.data.length === 1 && v.type.quant === undefined && Math.abs(Number(v.data.data[0]) / number - 1) < 1e-5;

/** The other operand of a node of two where one is a constant near `number`, or undefined. */
function besides(graph: Graph, node: Node, number: number): number | undefined {
  const at = [0, 1].find((slot) => isNumber(graph.input(node, slot), number));
  return at === undefined ? undefined : (node.inputs[1 - at] as number);
}

/** The operand of a node of two that is not `value`. */
const otherOperand = (node: Node, value: number): number =>
  (node.inputs[0] === value ? node.inputs[1] : node.inputs[0]) as number;

/** x of erf(x / sqrt(2)), and the node that divides. */
function erfOperand(graph: Graph, erf: Node, links: Links): { x: number; scaling: Node } | null {
  const scaling = producerOf(links, erf, 0, SCALING);
  if (!scaling || !isPrivate(links, scaling) || scaling.attrs.activation) return null;
  const divides = scaling.op === 'elementwise_div' && isNumber(graph.input(scaling, 1), Math.SQRT2);
  const x = divides ? (scaling.inputs[0] as number) : besides(graph, scaling, Math.SQRT1_2);
  return x === undefined || (scaling.op === 'elementwise_div' && !divides) ? null : { x, scaling };
}

/** The only reader of a node's private result, if it is the given op without an activation. */
function next(graph: Graph, node: Node, links: Links, op: string): Node | null {
  if (!isPrivate(links, node)) return null;
  const reader = onlyReader(links, graph.output(node).id);
  return reader?.op === op && !reader.attrs.activation ? reader : null;
}

/** From 1 + erf(x / sqrt(2)) to the last product with x and 0.5, in any order; all nodes on the way. */
function products(graph: Graph, gate: Node, x: number, links: Links): Node[] | null {
  const first = next(graph, gate, links, 'elementwise_mul');
  if (!first) return null;
  const other = otherOperand(first, graph.output(gate).id);
  const halved = producerOf(links, first, first.inputs.indexOf(other), PRODUCT);
  if (halved && isPrivate(links, halved) && !halved.attrs.activation && besides(graph, halved, 0.5) === x)
    return [halved, first];
  const second = next(graph, first, links, 'elementwise_mul');
  if (!second) return null;
  const last = otherOperand(second, graph.output(first).id);
  const half = (id: number): boolean => isNumber(graph.value(id), 0.5);
  return (other === x && half(last)) || (half(other) && last === x) ? [first, second] : null;
}

/**
 * A rule of canonicalize.
 *
 * Before:     y = x * 0.5 * (1 + erf(x / sqrt(2))), spelled out, with the factors in any order
 * After:      y = gelu(x)
 * Conditions: nothing on the way is rounded or read by others
 * Formula:    the same function in one float32 evaluation
 */
export function geluPattern(graph: Graph, erf: Node, patch: Patch, links: Links): void {
  const found = erfOperand(graph, erf, links);
  const gate = found && next(graph, erf, links, 'elementwise_add');
  if (!found || !gate || besides(graph, gate, 1) !== graph.output(erf).id) return;
  const way = products(graph, gate, found.x, links);
  const last = way?.at(-1);
  if (!way || !last) return;
  last.inputs = [found.x];
  patch.rewrite(last, 'gelu', {});
  for (const node of [found.scaling, erf, gate, ...way.slice(0, -1)]) patch.fuse(node, last);
}
