import { type NodeKind, type NodeSnapshot, type Snapshot, typeLabel, type ValueSnapshot } from '../ir/snapshot.js';

/** A box of a picture: a node, an input or an output. */
export interface Box {
  /** `n3` for the node with id 3, `i0` and `o0` for the first input and output. */
  readonly key: string;
  readonly kind: NodeKind | 'terminal';
  /** Op and id, `conv2d (3)`, or the name of an input or output. */
  readonly title: string;
  /** What is fused into it, ` + relu (4)`. */
  readonly extra: string;
  /** The type of its result. */
  readonly note: string;
  /** Size in pixels. */
  readonly w: number;
  readonly h: number;
}

/** A value that goes from one box to another (positions in `boxes`). */
export interface Link {
  readonly from: number;
  readonly to: number;
  readonly codes: boolean;
}

/** What a picture of a graph shows, without positions. */
export interface Scene {
  readonly boxes: readonly Box[];
  readonly links: readonly Link[];
}

const HEIGHT = 38;

/** Estimated widths of a character in pixels: titles in bold 12 px, notes in 10 px monospace. */
const [TITLE_WIDTH, NOTE_WIDTH] = [7.25, 6.1];
const MAX_TITLE = 36;

const clip = (text: string, most: number): string =>
  text.length > most ? `${text.slice(0, Math.max(1, most - 1))}\u2026` : text;

/** The dtype and shape of a value, without the grid; reals that are rounded to a grid are marked. */
function noteOf(value: ValueSnapshot | undefined): string {
  if (!value) return '';
  const { quant, ...plain } = value.type;
  const text = typeLabel(plain);
  return quant && value.type.dtype !== quant.dtype ? `${text} on ${quant.dtype}` : text;
}

function boxOf(key: string, kind: Box['kind'], title: string, extra: string, note: string): Box {
  const shownTitle = clip(title, MAX_TITLE);
  const shownExtra = clip(extra, MAX_TITLE - shownTitle.length);
  const [a, b] = [shownTitle.length + (shownExtra === '\u2026' ? 0 : shownExtra.length), clip(note, MAX_TITLE).length];
  const w = Math.max(92, Math.round(Math.max(a * TITLE_WIDTH, b * NOTE_WIDTH)) + 26);
  return {
    key,
    kind,
    title: shownTitle,
    extra: shownExtra === '\u2026' ? '' : shownExtra,
    note: clip(note, MAX_TITLE),
    w,
    h: HEIGHT,
  };
}

const nodeBox = (snapshot: Snapshot, node: NodeSnapshot): Box =>
  boxOf(
    `n${node.id}`,
    node.kind,
    `${node.op} (${node.id})`,
    node.fused.map(({ op, id }) => ` + ${op} (${id})`).join(''),
    noteOf(snapshot.values.get(node.outputs[0] as number)),
  );

const isCodes = (value: ValueSnapshot | undefined): boolean =>
  value?.type.quant !== undefined && value.type.dtype !== 'f32';

/** The boxes and links of a graph: inputs, nodes in execution order, outputs. Constants are part of their readers. */
export function sceneOf(snapshot: Snapshot): Scene {
  const boxes: Box[] = [];
  const links: Link[] = [];
  const makers = new Map<number, number>();
  const connect = (id: number | null, to: number): void => {
    const from = id === null ? undefined : makers.get(id);
    if (from !== undefined && id !== null) links.push({ from, to, codes: isCodes(snapshot.values.get(id)) });
  };
  snapshot.inputs.forEach((id, i) => {
    const value = snapshot.values.get(id);
    makers.set(id, boxes.push(boxOf(`i${i}`, 'terminal', value?.name ?? '', '', noteOf(value))) - 1);
  });
  for (const node of snapshot.nodes) {
    const at = boxes.push(nodeBox(snapshot, node)) - 1;
    for (const id of new Set(node.inputs)) connect(id, at);
    for (const id of node.outputs) makers.set(id, at);
  }
  snapshot.outputs.forEach(({ value, name }, i) => {
    connect(value, boxes.push(boxOf(`o${i}`, 'terminal', name, '', noteOf(snapshot.values.get(value)))) - 1);
  });
  return { boxes, links };
}
