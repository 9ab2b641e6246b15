/** Why a quantize, dequantize or requantize is there: who makes what it reads, and who needs what it gives. */
import type { Graph, Node } from './graph.js';
import { float32Text } from './literal.js';
import { type Quant, scaleAt, zeroPointAt } from './type.js';

const CONVERSIONS: ReadonlySet<string> = new Set(['quantize', 'dequantize', 'requantize']);

/** Whether an op, by name, only crosses between reals and codes: neither int8 work nor float work. */
export const convertsCodes = (op: string): boolean => CONVERSIONS.has(op);

/** Who makes and who reads each value. */
interface Links {
  readonly producers: ReadonlyMap<number, Node>;
  readonly consumers: ReadonlyMap<number, readonly { readonly node: Node; readonly slot: number }[]>;
}

const nodeText = (node: Node): string => `${node.op} (${node.id})`;

const gridText = (q: Quant | undefined): string =>
  !q
    ? 'no grid'
    : q.axis === null
      ? `scale ${float32Text(scaleAt(q, 0))} zp ${zeroPointAt(q, 0)}`
      : 'scales per channel';

const list = (items: readonly string[]): string =>
  items.length > 3 ? `${items.slice(0, 3).join(', ')} and ${items.length - 3} more` : items.join(', ');

/** Who makes a value, with why it is real where it is. */
function sourceText(graph: Graph, value: number, { producers }: Links): string {
  const node = producers.get(value);
  if (!node) return `${graph.inputs.includes(value) ? 'input' : 'constant'} "${graph.value(value).name}"`;
  return nodeText(node);
}

const whyFloat = (node: Node | undefined): string => (node?.placement?.reason ? `: ${node.placement.reason}` : '');

function quantizeNeed(graph: Graph, node: Node, links: Links): string {
  const from = node.inputs[0] as number;
  const out = node.outputs[0] as number;
  const readers = (links.consumers.get(out) ?? []).map((r) => r.node);
  const source = sourceText(graph, from, links);
  const onCodes = readers.filter((r) => r.op !== 'dequantize').map(nodeText);
  const outputs = outputsOf(graph, out);
  const needs = [...onCodes, ...outputs];
  if (needs.length > 0) return `${list(needs)} on codes, ${source} gives reals${whyFloat(links.producers.get(from))}`;
  return `the rounding that the model has on ${source}`;
}

function dequantizeNeed(graph: Graph, node: Node, links: Links): string {
  const out = node.outputs[0] as number;
  const needs = (links.consumers.get(out) ?? []).map((r) =>
    r.node.placement?.int8 ? `${nodeText(r.node)} adds reals` : `${nodeText(r.node)} in float${whyFloat(r.node)}`,
  );
  return list([...new Set([...needs, ...outputsOf(graph, out).map((text) => `${text} is real`)])]);
}

function requantizeNeed(graph: Graph, node: Node, links: Links): string {
  const from = node.inputs[0] as number;
  const out = node.outputs[0] as number;
  const needs = [...(links.consumers.get(out) ?? []).map((r) => nodeText(r.node)), ...outputsOf(graph, out)];
  const grids = [out, from].map((id) => gridText(graph.value(id).type.quant));
  return `${list([...new Set(needs)])} on ${grids[0]}, ${sourceText(graph, from, links)} gives ${grids[1]}`;
}

const outputsOf = (graph: Graph, value: number): string[] =>
  graph.outputs.filter((o) => o.value === value).map((o) => `output "${o.name}"`);

const NEEDS: Readonly<Record<string, (graph: Graph, node: Node, links: Links) => string>> = {
  quantize: quantizeNeed,
  dequantize: dequantizeNeed,
  requantize: requantizeNeed,
};

/** For every conversion of codes that is in the graph, by node: who needs it, in words for the user. */
export function conversionNeeds(graph: Graph): Map<Node, string> {
  const links: Links = { producers: graph.producers(), consumers: graph.consumers() };
  const needs = new Map<Node, string>();
  for (const node of graph.nodes) {
    const need = NEEDS[node.op]?.(graph, node, links);
    if (need) needs.set(node, need);
  }
  return needs;
}
