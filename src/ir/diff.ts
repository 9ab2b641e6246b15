/** What differs between two graphs: two stages of a compilation, or what two sets of options make of a model. */
import { makerOf } from './history.js';
import { rangeText } from './print.js';
import { type NodeSnapshot, type Snapshot, typeLabel, type ValueSnapshot } from './snapshot.js';

/** One difference of a node that both graphs have. */
export interface NodeDifference {
  readonly what:
    | 'op'
    | 'fused'
    | 'attribute'
    | 'input'
    | 'constant'
    | 'result'
    | 'type'
    | 'range'
    | 'placement'
    | 'reason'
    | 'region';
  readonly before: string;
  readonly after: string;
  /** Which attribute, input or value. */
  readonly of?: string;
}

/** A node of both graphs that is not the same in both. */
export interface ChangedNode {
  readonly before: NodeSnapshot;
  readonly after: NodeSnapshot;
  readonly differences: readonly NodeDifference[];
}

/** What differs between two graphs; nodes in execution order. */
export interface GraphDiff {
  readonly added: readonly NodeSnapshot[];
  /** Nodes of the first graph that the second does not have, with what became of them where it is known. */
  readonly removed: readonly { readonly node: NodeSnapshot; readonly how: string | null }[];
  readonly changed: readonly ChangedNode[];
  /** Inputs and outputs of the graph whose names or types differ, as text. */
  readonly border: readonly string[];
}

/**
 * Compares two graphs. Nodes of the source are the same where their ids are; nodes that passes inserted, where op and
 * result have the same names, since their numbers depend on what was inserted before.
 */
export function diffGraphs(before: Snapshot, after: Snapshot): GraphDiff {
  const [old, now] = [keyed(before), keyed(after)];
  const changed = [...now].flatMap(([key, node]): ChangedNode[] => {
    const twin = old.get(key);
    const differences = twin ? diffNodes(before, twin, after, node) : [];
    return twin && differences.length > 0 ? [{ before: twin, after: node, differences }] : [];
  });
  return {
    added: [...now].flatMap(([key, node]) => (old.has(key) ? [] : [node])),
    removed: [...old].flatMap(([key, node]) =>
      now.has(key) ? [] : [{ node, how: after.folded.get(node.id)?.how ?? null }],
    ),
    changed,
    border: [
      ...diffBorder('input', borderOf(before, before.inputs), borderOf(after, after.inputs)),
      ...diffBorder('output', outputsOf(before), outputsOf(after)),
    ],
  };
}

/** Whether two graphs are the same. */
export const isEmpty = ({ added, removed, changed, border }: GraphDiff): boolean =>
  added.length + removed.length + changed.length + border.length === 0;

function keyed(graph: Snapshot): Map<string, NodeSnapshot> {
  const inserted = (node: NodeSnapshot): boolean => node.changes.some((change) => change.what === 'added');
  const result = (node: NodeSnapshot): string => graph.values.get(node.outputs[0] as number)?.name ?? '';
  return new Map(
    graph.nodes.map((node) => [inserted(node) ? `${node.op} "${result(node)}"` : String(node.id), node] as const),
  );
}

function diffNodes(before: Snapshot, a: NodeSnapshot, after: Snapshot, b: NodeSnapshot): NodeDifference[] {
  const found: NodeDifference[] = [];
  const compare = (what: NodeDifference['what'], x: string, y: string, of?: string): void => {
    if (x !== y) found.push({ what, before: x, after: y, ...(of === undefined ? {} : { of }) });
  };
  compare('op', a.op, b.op);
  compare('fused', fusedText(a), fusedText(b));
  const attrs = [new Map(a.attrs), new Map(b.attrs)] as const;
  for (const key of new Set([...attrs[0].keys(), ...attrs[1].keys()]))
    compare('attribute', attrs[0].get(key) ?? 'none', attrs[1].get(key) ?? 'none', key);
  for (let slot = 0; slot < Math.max(a.inputs.length, b.inputs.length); slot++) {
    const [x, y] = [valueAt(before, a.inputs[slot]), valueAt(after, b.inputs[slot])];
    const constants = x?.constant !== undefined && y?.constant !== undefined;
    if (constants) compare('constant', constantText(x), constantText(y), `input ${slot}`);
    else compare('input', x?.name ?? 'none', y?.name ?? 'none', `input ${slot}`);
  }
  for (const [i, id] of b.outputs.entries()) {
    const [x, y] = [valueAt(before, a.outputs[i]), valueAt(after, id)];
    if (x?.name !== y?.name) {
      compare('result', x?.name ?? 'none', y?.name ?? 'none');
      continue;
    }
    compare('type', x ? typeLabel(x.type) : 'none', y ? typeLabel(y.type) : 'none', y?.name);
    compare('range', x?.range ? rangeText(x.range) : 'open', y?.range ? rangeText(y.range) : 'open', y?.name);
  }
  compare('placement', a.kind, b.kind);
  compare('reason', a.reason ?? 'none', b.reason ?? 'none');
  compare('region', String(a.region ?? 'none'), String(b.region ?? 'none'));
  return found;
}

const valueAt = (graph: Snapshot, id: number | null | undefined): ValueSnapshot | undefined =>
  id === null || id === undefined ? undefined : graph.values.get(id);

const constantText = ({ type, constant }: ValueSnapshot): string => `${typeLabel(type)} ${constant}`;

const fusedText = ({ fused }: NodeSnapshot): string =>
  fused.length === 0 ? 'nothing' : fused.map(({ op, id }) => `${op} (${id})`).join(', ');

function borderOf(graph: Snapshot, ids: readonly number[]): Map<string, string> {
  return new Map(ids.flatMap((id) => (graph.values.get(id) ? [[nameOf(graph, id), typeOf(graph, id)] as const] : [])));
}

const outputsOf = (graph: Snapshot): Map<string, string> =>
  new Map(graph.outputs.map(({ value, name }) => [name, typeOf(graph, value)] as const));

const nameOf = (graph: Snapshot, id: number): string => graph.values.get(id)?.name ?? '';

function typeOf(graph: Snapshot, id: number): string {
  const value = graph.values.get(id);
  return value ? typeLabel(value.type) : 'unknown';
}

function diffBorder(kind: string, before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): string[] {
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((name) => {
    const [x, y] = [before.get(name), after.get(name)];
    if (x === y) return [];
    return [`${kind} "${name}": ${x ?? 'none'} -> ${y ?? 'none'}`];
  });
}

/** The most telling change of a node, for highlighting. */
export type NodeStatus = 'added' | 'fused' | 'rewritten' | 'retyped' | 'rewired' | 'placed' | 'annotated';

const STATUS: Readonly<Record<NodeDifference['what'], NodeStatus>> = {
  fused: 'fused',
  op: 'rewritten',
  attribute: 'rewritten',
  type: 'retyped',
  constant: 'retyped',
  input: 'rewired',
  result: 'rewired',
  placement: 'placed',
  reason: 'placed',
  region: 'annotated',
  range: 'annotated',
};

const RANK: readonly NodeStatus[] = ['fused', 'rewritten', 'retyped', 'placed', 'rewired', 'annotated'];

/** The status of every node of the second graph that is new or changed, by id. */
export function statusesOf({ added, changed }: GraphDiff): Map<number, NodeStatus> {
  const statuses = new Map<number, NodeStatus>(added.map((node) => [node.id, 'added']));
  for (const { after, differences } of changed) {
    const found = new Set(differences.map(({ what }) => STATUS[what]));
    statuses.set(after.id, RANK.find((status) => found.has(status)) ?? 'annotated');
  }
  return statuses;
}

const clip = (text: string): string => (text.length > 90 ? `${text.slice(0, 87)}...` : text);

/** A difference as text, `type of "y": f32[1,8] -> u8[1,8] scale=0.02 zp=0`. */
export function differenceText({ what, of, before, after }: NodeDifference): string {
  const name = what === 'attribute' ? `attribute ${of}` : what === 'input' || what === 'constant' ? of : what;
  if (what === 'fused') return `takes ${after} in${before === 'nothing' ? '' : ` (before: ${before})`}`;
  return `${name}${what === 'type' ? ` of "${of}"` : ''}: ${clip(before)} -> ${clip(after)}`;
}

const title = ({ op, id, origin }: NodeSnapshot): string =>
  `${op} (${id})${origin.name === '' ? '' : ` "${origin.name}"`}`;

/** Differences as lines of text: `+` new, `-` gone, `~` changed. */
export function diffText(diff: GraphDiff): string[] {
  return [
    ...diff.border,
    ...diff.removed.map(({ node, how }) => `- ${title(node)}${how === null ? '' : `: ${how}`}`),
    ...diff.added.map((node) => {
      const by = makerOf(node.changes);
      const why = node.neededBy ?? node.reason;
      return `+ ${title(node)}${by ? ` by ${by.pass}` : ''}${why === undefined ? '' : `: ${why}`}`;
    }),
    ...diff.changed.flatMap(({ after, differences }) => [
      `~ ${title(after)}`,
      ...differences.map((difference) => `    ${differenceText(difference)}`),
    ]),
  ];
}
