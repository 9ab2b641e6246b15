import type { Change, Graph, Node } from './graph.js';

/** A change as plain data: which pass and rule did what. */
export interface Step {
  /** Number of the pass, from 1. */
  readonly step: number;
  readonly pass: string;
  readonly rule: string;
  readonly what: Change['what'];
  readonly detail: string;
}

/** How each node of a graph came to be. */
export interface History {
  /** What passes did to a node and to the values that it makes now, in order. */
  changesOf(node: Node): readonly Step[];
  /** Names of the nodes of the source that a node computes; those without a name are left out. */
  sourcesOf(node: Node): readonly string[];
}

/** The history of a graph by node, as of now. */
export function historyOf(graph: Graph): History {
  const producers = graph.producers();
  const changes = new Map<Node, Step[]>();
  const removed = new Map<number, Node>();
  for (const { step, pass, rule, what, detail, ...about } of graph.history) {
    const node = about.node ?? (about.value === null ? undefined : producers.get(about.value));
    if (!node) continue;
    if (what === 'removed') removed.set(node.id, node);
    const list = changes.get(node);
    if (list) list.push({ step, pass, rule, what, detail });
    else changes.set(node, [{ step, pass, rule, what, detail }]);
  }
  return {
    changesOf: (node) => changes.get(node) ?? [],
    sourcesOf: (node) =>
      [node, ...node.fused.flatMap(({ id }) => removed.get(id) ?? [])]
        .map((part) => part.origin.name)
        .filter((name) => name !== ''),
  };
}

const MAKES: ReadonlySet<Change['what']> = new Set(['added', 'rewritten', 'fused']);

/** The change that made a node or changed it last; undefined where it stands as in the file. */
export const makerOf = (changes: readonly Step[]): Step | undefined => changes.findLast(({ what }) => MAKES.has(what));
