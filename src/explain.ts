import { describePartitions, type Partition } from './describe-partitions.js';
import { conversionNeeds } from './ir/conversions.js';
import type { Graph, Node } from './ir/graph.js';
import { type History, historyOf, makerOf, type Step } from './ir/history.js';

/** How an op came to be, and why it is as it is. */
export interface OpExplanation {
  readonly id: number;
  readonly type: string;
  /** The pass and rule that made it or changed it last; null where it stands as in the file. */
  readonly madeBy: { readonly step: number; readonly pass: string; readonly rule: string } | null;
  /** Names of its results. */
  readonly results: readonly string[];
  /** Names of the values that it computes with; constants are left out. */
  readonly operands: readonly string[];
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
  /** Outputs of the graph by name, with the values behind them. */
  readonly outputs: readonly { readonly name: string; readonly value: string }[];
  readonly partitions: readonly Partition[];
  readonly decisions: readonly Decision[];
}

/** Explains a graph that went through the pipeline, from its history. */
export function explain(graph: Graph): Explanation {
  const history = historyOf(graph);
  const needs = conversionNeeds(graph);
  return {
    ops: graph.nodes.map((node) => explainOp(graph, node, history, needs.get(node))),
    outputs: graph.outputs.map(({ name, value }) => ({ name, value: graph.value(value).name })),
    partitions: describePartitions(graph),
    decisions: graph.decisions.map(({ nodes, int8, why }) => ({ ops: nodes.map((n) => n.id), int8, why })),
  };
}

function explainOp(graph: Graph, node: Node, history: History, neededBy: string | undefined): OpExplanation {
  const operands = node.inputs.flatMap((id) => (id === null || graph.value(id).data ? [] : [graph.value(id).name]));
  const changes = history.changesOf(node);
  const maker = makerOf(changes);
  return {
    id: node.id,
    type: node.op,
    madeBy: maker ? { step: maker.step, pass: maker.pass, rule: maker.rule } : null,
    results: node.outputs.map((id) => graph.value(id).name),
    operands,
    sources: history.sourcesOf(node),
    changes,
    ...(neededBy === undefined ? {} : { neededBy }),
  };
}
