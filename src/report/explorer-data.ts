import { diffGraphs, type NodeStatus, statusesOf } from '../ir/diff.js';
import type { Step } from '../ir/history.js';
import { rangeText } from '../ir/print.js';
import {
  type NodeKind,
  type NodeSnapshot,
  nodeTitle,
  type Snapshot,
  typeLabel,
  type ValueSnapshot,
} from '../ir/snapshot.js';
import type { Stage } from '../stages.js';
import type { LayoutData, Layouts } from './layout.js';
import { type Box, type Scene, sceneOf } from './scene.js';

/** A value as the page shows it, with the boxes at its other end. */
export interface PortData {
  readonly name: string;
  readonly type: string;
  /** Elements or checksum of a constant. */
  readonly constant?: string;
  /** Proven codes, and why. */
  readonly range?: string;
  /** Keys of the boxes that make it (of inputs) or read it (of outputs). */
  readonly ends: readonly string[];
}

/** A box with all that is known of it at some stage. Equal boxes of several stages stand in the page once. */
export interface BoxData extends Box {
  /** The id for --op-ids-to-skip; null for inputs and outputs. */
  readonly id: number | null;
  /** `conv2d (3) + relu (4)`. */
  readonly full: string;
  readonly names: readonly string[];
  readonly from: string;
  readonly why?: string;
  readonly region?: number;
  readonly attrs: readonly (readonly [string, string])[];
  readonly ins: readonly PortData[];
  readonly outs: readonly PortData[];
  readonly history: readonly string[];
}

/** One position of the slider. */
export interface StageData {
  readonly index: number;
  readonly name: string;
  readonly doc: string;
  readonly changes: number;
  readonly layout: number;
  /** Positions in `boxes` of the page, in the order of the layout. */
  readonly boxes: readonly number[];
  /** Per link of the layout, `c` where it carries codes and `r` where reals. */
  readonly links: string;
  /** What changed against the stage before, by key. */
  readonly status: Readonly<Record<string, NodeStatus>>;
  readonly removed: readonly { readonly key: string; readonly title: string; readonly how: string }[];
}

/** Numbers for some ops, by id, that the boxes can be coloured by. */
export interface Overlay {
  readonly title: string;
  /** What small and great values mean, for the legend. */
  readonly low: string;
  readonly high: string;
  readonly values: Readonly<Record<number, { readonly value: number; readonly text: string }>>;
}

/** Everything that the explorer shows. */
export interface ExplorerData {
  readonly name: string;
  readonly stages: readonly StageData[];
  readonly boxes: readonly BoxData[];
  readonly layouts: readonly LayoutData[];
  readonly overlays: readonly Overlay[];
}

const KIND_TEXT: Readonly<Record<NodeKind, string>> = {
  int8: 'computes in int8',
  float: 'computes in float',
  boundary: 'converts between reals and codes',
  open: 'not placed yet',
};

/** `3 fuse-bias: takes elementwise_add (4) in`. */
const stepText = ({ step, pass, rule, what, detail }: Step): string =>
  `${step} ${pass}${rule === pass ? '' : `/${rule}`}: ${what} ${detail}`;

/** Who makes and who reads the values of a scene, by key. */
interface Ends {
  readonly makers: ReadonlyMap<number, string>;
  readonly readers: ReadonlyMap<number, readonly string[]>;
}

function endsOf(snapshot: Snapshot): Ends {
  const makers = new Map<number, string>(snapshot.inputs.map((id, i) => [id, `i${i}`]));
  const readers = new Map<number, string[]>();
  const read = (id: number, key: string): void => {
    const list = readers.get(id);
    if (list) list.push(key);
    else readers.set(id, [key]);
  };
  for (const node of snapshot.nodes) {
    for (const id of node.outputs) makers.set(id, `n${node.id}`);
    for (const id of node.inputs) if (id !== null) read(id, `n${node.id}`);
  }
  snapshot.outputs.forEach(({ value }, i) => void read(value, `o${i}`));
  return { makers, readers };
}

function portOf({ name, type, constant, range }: ValueSnapshot, ends: readonly string[]): PortData {
  return {
    name,
    type: typeLabel(type),
    ...(constant === undefined ? {} : { constant }),
    ...(range ? { range: `${rangeText(range)}: ${range.proof}` } : {}),
    ends,
  };
}

function portsOf(
  snapshot: Snapshot,
  ids: readonly (number | null)[],
  ends: (id: number) => readonly string[],
): PortData[] {
  return ids.flatMap((id) => {
    const value = id === null ? undefined : snapshot.values.get(id);
    return value ? [portOf(value, ends(value.id))] : [];
  });
}

function nodeData(snapshot: Snapshot, box: Box, node: NodeSnapshot, { makers, readers }: Ends): BoxData {
  const { reason, neededBy, byUser } = node;
  const why = reason ?? (neededBy === undefined ? undefined : `for ${neededBy}`);
  return {
    ...box,
    id: node.id,
    full: nodeTitle(node),
    names: node.sources,
    from: `${KIND_TEXT[node.kind]}; ${node.origin.type === node.op ? '' : `${node.origin.type} in the source`}`.replace(
      /; $/,
      '',
    ),
    ...(why === undefined ? {} : { why: byUser ? `${why} (asked for by the user)` : why }),
    ...(node.region === undefined ? {} : { region: node.region }),
    attrs: node.attrs,
    ins: portsOf(snapshot, node.inputs, (id) => (makers.has(id) ? [makers.get(id) as string] : [])),
    outs: portsOf(snapshot, node.outputs, (id) => readers.get(id) ?? []),
    history: node.changes.map(stepText),
  };
}

function terminalData(snapshot: Snapshot, box: Box, value: number, { makers, readers }: Ends): BoxData {
  const isInput = box.key.startsWith('i');
  const ports = portsOf(snapshot, [value], (id) =>
    isInput ? (readers.get(id) ?? []) : [makers.get(id) ?? ''].filter(Boolean),
  );
  return {
    ...box,
    id: null,
    full: box.title,
    names: [],
    from: isInput ? 'input of the model' : 'output of the model',
    attrs: [],
    ins: isInput ? [] : ports,
    outs: isInput ? ports : [],
    history: [],
  };
}

function boxesOf(snapshot: Snapshot, scene: Scene): BoxData[] {
  const ends = endsOf(snapshot);
  const nodes = new Map(snapshot.nodes.map((node) => [`n${node.id}`, node]));
  return scene.boxes.map((box) => {
    const node = nodes.get(box.key);
    if (node) return nodeData(snapshot, box, node, ends);
    const at = Number(box.key.slice(1));
    const value = box.key.startsWith('i') ? snapshot.inputs[at] : snapshot.outputs[at]?.value;
    return terminalData(snapshot, box, value as number, ends);
  });
}

/** Collects equal things once. */
class Pool<T> {
  readonly items: T[] = [];
  private readonly known = new Map<string, number>();

  indexOf(item: T): number {
    const key = JSON.stringify(item);
    const at = this.known.get(key) ?? this.items.push(item) - 1;
    this.known.set(key, at);
    return at;
  }
}

/** What the explorer shows of the stages of a compilation. */
export function explorerData(
  stages: readonly Stage[],
  layouts: Layouts,
  overlays: readonly Overlay[] = [],
): ExplorerData {
  const boxes = new Pool<BoxData>();
  const pictures: LayoutData[] = [];
  const shown = stages.map(({ index, name, doc, changes, snapshot }, i): StageData => {
    const scene = sceneOf(snapshot);
    const picture = layouts.of(scene);
    if (!pictures.includes(picture)) pictures.push(picture);
    const before = stages[i - 1];
    const diff = before && diffGraphs(before.snapshot, snapshot);
    const statuses = diff ? statusesOf(diff) : new Map<number, NodeStatus>();
    return {
      index,
      name,
      doc,
      changes,
      layout: pictures.indexOf(picture),
      boxes: boxesOf(snapshot, scene).map((box) => boxes.indexOf(box)),
      links: scene.links.map((link) => (link.codes ? 'c' : 'r')).join(''),
      status: Object.fromEntries([...statuses].map(([id, status]) => [`n${id}`, status])),
      removed: (diff?.removed ?? []).map(({ node, how }) => ({
        key: `n${node.id}`,
        title: nodeTitle(node),
        how: how ?? 'gone',
      })),
    };
  });
  return {
    name: stages[0]?.snapshot.name ?? '',
    stages: shown,
    boxes: boxes.items,
    layouts: pictures,
    overlays,
  };
}
