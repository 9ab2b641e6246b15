/**
 * A graph at one stage as plain data: what dumps, pictures, pages and differences are made of. It shares types with the
 * graph and copies nothing large; later passes do not change it.
 */
import { conversionNeeds, convertsCodes } from './conversions.js';
import type { CodeRange, Graph, Node, Value } from './graph.js';
import { historyOf, type Step } from './history.js';
import { digestText, elementText, float32Text, isInline } from './literal.js';
import { attrText } from './print.js';
import type { TensorData } from './tensor.js';
import { isCodes, type Quant, type TensorType } from './type.js';

/** How a node computes; `open` where nothing is decided yet. */
export type NodeKind = 'int8' | 'float' | 'boundary' | 'open';

/** A node at one stage. */
export interface NodeSnapshot {
  readonly id: number;
  readonly op: string;
  readonly kind: NodeKind;
  /** Name and op type in the source. */
  readonly origin: { readonly name: string; readonly type: string };
  /** Names of all nodes of the source that it computes. */
  readonly sources: readonly string[];
  /** Attributes as text. */
  readonly attrs: readonly (readonly [name: string, value: string])[];
  /** Ids of values; null where an optional input is absent. */
  readonly inputs: readonly (number | null)[];
  readonly outputs: readonly number[];
  readonly fused: readonly { readonly id: number; readonly op: string }[];
  /** Why it is not int8. */
  readonly reason?: string;
  readonly byUser?: boolean;
  /** Who needs a conversion. */
  readonly neededBy?: string;
  readonly region?: number;
  /** What passes did to it so far. */
  readonly changes: readonly Step[];
}

/** A value at one stage. */
export interface ValueSnapshot {
  readonly id: number;
  readonly name: string;
  readonly type: TensorType;
  readonly range?: CodeRange;
  /** The elements of a constant: all of a small one in brackets, else a checksum. */
  readonly constant?: string;
}

/** A graph at one stage. */
export interface Snapshot {
  readonly name: string;
  readonly inputs: readonly number[];
  readonly outputs: readonly { readonly value: number; readonly name: string }[];
  /** In execution order. */
  readonly nodes: readonly NodeSnapshot[];
  /** The values in use, by id. */
  readonly values: ReadonlyMap<number, ValueSnapshot>;
  /** Source ids without a node of their own, and what became of them. */
  readonly folded: ReadonlyMap<number, { readonly op: string; readonly host: number | null; readonly how: string }>;
}

/** The graph as it is now. */
export function snapshotOf(graph: Graph): Snapshot {
  const history = historyOf(graph);
  const needs = conversionNeeds(graph);
  const nodes = graph.nodes.map((node): NodeSnapshot => {
    // What was decided of a fake_quantize says nothing of the quantize that it became.
    const { reason, byUser } = convertsCodes(node.op) ? {} : (node.placement ?? {});
    const neededBy = needs.get(node);
    return {
      id: node.id,
      op: node.op,
      kind: kindOf(graph, node),
      origin: node.origin,
      sources: history.sourcesOf(node),
      attrs: Object.entries(node.attrs).map(([key, value]) => [key, attrText(value, 'short')] as const),
      inputs: [...node.inputs],
      outputs: [...node.outputs],
      fused: node.fused.map(({ id, op }) => ({ id, op })),
      ...(reason === undefined ? {} : { reason }),
      ...(byUser ? { byUser } : {}),
      ...(neededBy === undefined ? {} : { neededBy }),
      ...(node.region === undefined ? {} : { region: node.region }),
      changes: [...history.changesOf(node)],
    };
  });
  const used = new Set([...graph.inputs, ...graph.outputs.map((o) => o.value)]);
  for (const { inputs, outputs } of nodes) for (const id of [...inputs, ...outputs]) if (id !== null) used.add(id);
  return {
    name: graph.name,
    inputs: [...graph.inputs],
    outputs: graph.outputs.map(({ value, name }) => ({ value, name })),
    nodes,
    values: new Map([...used].flatMap((id) => valueEntry(graph.values.get(id)))),
    folded: new Map(graph.folded),
  };
}

function kindOf(graph: Graph, node: Node): NodeKind {
  if (convertsCodes(node.op) || node.op === 'fake_quantize') return 'boundary';
  if (node.placement) return node.placement.int8 ? 'int8' : 'float';
  const values = [...node.inputs, ...node.outputs].map((id) => (id === null ? undefined : graph.values.get(id)));
  return values.some((v) => v && v.data === undefined && isCodes(v.type)) ? 'int8' : 'open';
}

function valueEntry(value: Value | undefined): [number, ValueSnapshot][] {
  if (!value) return [];
  const { id, name, type, range, data } = value;
  const constant = data && constantText(data.data);
  return [[id, { id, name, type, ...(range ? { range } : {}), ...(constant === undefined ? {} : { constant }) }]];
}

/** Checksums of constants, which stay the same over the passes. */
const digests = new WeakMap<TensorData, string>();

function constantText(data: TensorData): string {
  if (isInline(data)) return `[${Array.from({ length: data.length }, (_, i) => elementText(data, i)).join(', ')}]`;
  const known = digests.get(data) ?? `#${digestText(data)}`;
  digests.set(data, known);
  return known;
}

/** The scales of a grid in few words: one scale, or the range of the scales along an axis. */
function gridText(q: Quant): string {
  const shown = new Set(q.zeroPoints);
  const zero = shown.size === 1 ? ` zp=${q.zeroPoints[0]}` : ' zp=...';
  if (q.axis === null) return `scale=${float32Text(q.scales[0] ?? Number.NaN)}${zero}`;
  const least = q.scales.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const most = q.scales.reduce((a, b) => Math.max(a, b), 0);
  return `scale[axis ${q.axis}]=${float32Text(least)}..${float32Text(most)}${zero}`;
}

/** A type as labels show it: `u8[1,16,8,8] scale=0.02 zp=128`; reals on a grid as `f32[..] on u8 scale=..`. */
export function typeLabel(type: TensorType): string {
  const plain = `${type.dtype}[${type.shape.map((d) => (Number.isInteger(d) && d >= 0 ? d : '?')).join(',')}]`;
  if (!type.quant) return plain;
  const code = type.quant.dtype === type.dtype ? '' : ` on ${type.quant.dtype}`;
  return `${plain}${code} ${gridText(type.quant)}`;
}

/** `conv2d (3) + relu (4)`. */
export const nodeTitle = (node: Pick<NodeSnapshot, 'op' | 'id' | 'fused'>): string =>
  [{ op: node.op, id: node.id }, ...node.fused].map(({ op, id }) => `${op} (${id})`).join(' + ');
