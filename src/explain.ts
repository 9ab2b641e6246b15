import { describePartitions, type Partition } from './describe-partitions.js';
import { conversionNeeds } from './ir/conversions.js';
import type { Change, Graph, Node } from './ir/graph.js';

/** A pass and its rule that changed something. */
export interface Step {
  /** Number of the pass, from 1. */
  readonly step: number;
  readonly pass: string;
  readonly rule: string;
  readonly what: Change['what'];
  readonly detail: string;
}

/** How an op came to be, and why it is as it is. */
export interface OpExplanation {
  readonly id: number;
  readonly type: string;
  /** The pass and rule that made it or changed it last; null where it stands as in the file. */
  readonly madeBy: { readonly step: number; readonly pass: string; readonly rule: string } | null;
  /** Names of the nodes of the source that it computes, those without a name left out. */
  readonly sources: readonly string[];
  /** What passes did to it and to its results, in order. */
  readonly changes: readonly Step[];
  /** Who needs a quantize, dequantize or requantize. */
  readonly neededBy?: string;
}

/** What the cost model decided about nodes that could be int8. */
export interface Decision {
  readonly ops: readonly number[];
  readonly int8: boolean;
  readonly why: string;
}

/** What happened to a model on its way through the passes, for people and machines. */
export interface Explanation {
  readonly ops: readonly OpExplanation[];
  readonly partitions: readonly Partition[];
  readonly decisions: readonly Decision[];
}

const MAKES: ReadonlySet<Change['what']> = new Set(['added', 'rewritten', 'fused']);

/** Explains a graph that went through the pipeline, from its history. */
export function explain(graph: Graph): Explanation {
  const removed = new Map<number, Node>();
  for (const { what, node } of graph.history) if (what === 'removed' && node) removed.set(node.id, node);
  const changes = changesByNode(graph);
  const needs = conversionNeeds(graph);
  return {
    ops: graph.nodes.map((node) => explainOp(node, changes.get(node) ?? [], removed, needs.get(node))),
    partitions: describePartitions(graph),
    decisions: graph.decisions.map(({ nodes, int8, why }) => ({ ops: nodes.map((n) => n.id), int8, why })),
  };
}

/** The history by the node that it is about; changes of values belong to the node that makes them now. */
export function changesByNode(graph: Graph): Map<Node, Change[]> {
  const producers = graph.producers();
  const found = new Map<Node, Change[]>();
  for (const change of graph.history) {
    const node = change.node ?? (change.value === null ? undefined : producers.get(change.value));
    if (!node) continue;
    const list = found.get(node);
    if (list) list.push(change);
    else found.set(node, [change]);
  }
  return found;
}

function explainOp(
  node: Node,
  changes: readonly Change[],
  removed: ReadonlyMap<number, Node>,
  neededBy: string | undefined,
): OpExplanation {
  const last = changes.findLast((change) => MAKES.has(change.what));
  const parts = [node, ...node.fused.flatMap(({ id }) => removed.get(id) ?? [])];
  return {
    id: node.id,
    type: node.op,
    madeBy: last ? { step: last.step, pass: last.pass, rule: last.rule } : null,
    sources: parts.map((part) => part.origin.name).filter((name) => name !== ''),
    changes: changes.map(({ step, pass, rule, what, detail }) => ({ step, pass, rule, what, detail })),
    ...(neededBy === undefined ? {} : { neededBy }),
  };
}
