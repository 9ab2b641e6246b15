/**
 * Graphviz text of a graph. Every node is labelled `type (id)`, what was fused into it after a plus sign, then its name in
 * the source, its constants and its attributes; edges carry the type of the value. The fill colour says how the node
 * computes, the tooltip why. Works at any stage: before placement, a node on codes counts as int8 and the rest is white.
 */
import type { Graph, Node, Value } from './graph.js';
import { elementText, float32Text, isInline } from './literal.js';
import { attrText, rangeText } from './print.js';
import { isCodes, type Quant, type TensorType } from './type.js';

const BOUNDARY_OPS: ReadonlySet<string> = new Set(['quantize', 'dequantize', 'requantize', 'fake_quantize']);

/** How a node computes, with the fill colours of the legend. */
const KINDS = {
  int8: { color: '#a8dba8', text: 'int8' },
  float: { color: '#f7c6a3', text: 'float' },
  boundary: { color: '#ffe680', text: 'quantize, dequantize, requantize' },
  open: { color: '#ffffff', text: 'not placed yet' },
} as const;

type Kind = keyof typeof KINDS;

const TERMINAL_COLOR = '#d6e4f5';

/** The longest attribute or name that a label shows in full. */
const MAX_TEXT = 60;

function kindOf(graph: Graph, node: Node): Kind {
  if (BOUNDARY_OPS.has(node.op)) return 'boundary';
  if (node.placement) return node.placement.int8 ? 'int8' : 'float';
  const values = [...node.inputs, ...node.outputs].map((id) => (id === null ? undefined : graph.values.get(id)));
  return values.some((v) => v && v.data === undefined && isCodes(v.type)) ? 'int8' : 'open';
}

/** A string in double quotes. Graphviz reads backslash escapes in labels, and control characters would break lines. */
function quote(lines: readonly string[]): string {
  const escaped = (line: string): string =>
    line
      .replaceAll('\\', '\\\\')
      .replaceAll('"', '\\"')
      // biome-ignore lint/suspicious/noControlCharactersInRegex: names of a model may hold any character
      .replace(/[\u0000-\u001f\u007f\ud800-\udfff]/gu, ' ');
  return `"${lines.map(escaped).join('\\n')}"`;
}

const clip = (text: string): string => (text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT - 3)}...` : text);

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

const valueLabel = ({ type, range }: Value): string => typeLabel(type) + (range ? ` ${rangeText(range)}` : '');

const valueTooltip = ({ id, name, range }: Value): string => `%${id} ${clip(name)}${range ? `: ${range.proof}` : ''}`;

/** `conv2d (3) + relu (4)`. */
export const nodeTitle = (node: Node): string =>
  [{ op: node.op, id: node.id }, ...node.fused].map(({ op, id }) => `${op} (${id})`).join(' + ');

function constantLine(value: Value): string {
  const data = value.data?.data;
  const values =
    data && isInline(data)
      ? ` = [${Array.from({ length: data.length }, (_, i) => elementText(data, i)).join(', ')}]`
      : '';
  return `${clip(value.name)}: ${typeLabel(value.type)}${values}`;
}

function nodeLines(graph: Graph, node: Node): string[] {
  const lines = [nodeTitle(node)];
  if (node.origin.name !== '') lines.push(clip(node.origin.name));
  for (const id of node.inputs) {
    const value = id === null ? undefined : graph.values.get(id);
    if (value?.data) lines.push(constantLine(value));
  }
  for (const [key, value] of Object.entries(node.attrs)) lines.push(clip(`${key}=${attrText(value, 'short')}`));
  return lines;
}

function tooltip(node: Node, kind: Kind): string {
  const { reason, byUser } = node.placement ?? {};
  const origin = node.origin.type === node.op ? [] : [`from ${node.origin.type}`];
  const why = reason === undefined ? [] : [reason];
  return quote([[KINDS[kind].text, ...why, ...(byUser ? ['asked for by the user'] : []), ...origin].join('; ')]);
}

/** The legend: one box per colour, kept apart from the graph. */
function legend(): string[] {
  const boxes = Object.entries(KINDS).map(
    ([kind, { color, text }]) => `    legend_${kind} [label=${quote([text])}, fillcolor="${color}"];`,
  );
  return [
    '  subgraph cluster_legend {',
    '    label="legend"; fontsize=10; color="#999999";',
    ...boxes,
    `    legend_terminal [label="input, output, constant", shape=ellipse, fillcolor="${TERMINAL_COLOR}"];`,
    '  }',
  ];
}

/** A graph as Graphviz text; `title` says which stage it shows. */
export function toDot(graph: Graph, title = graph.name): string {
  const lines = [
    `digraph ${quote([graph.name])} {`,
    `  label=${quote([title])}; labelloc=t; rankdir=TB;`,
    '  node [shape=box, style="filled,rounded", fontname="Helvetica", fontsize=10];',
    '  edge [fontname="Helvetica", fontsize=8];',
    ...legend(),
  ];
  const source = new Map<number, string>();
  const terminal = (id: string, value: Value, name: string): string =>
    `  ${id} [label=${quote([clip(name), typeLabel(value.type)])}, shape=ellipse, fillcolor="${TERMINAL_COLOR}"];`;
  graph.inputs.forEach((id, i) => {
    const value = graph.value(id);
    source.set(id, `input_${i}`);
    lines.push(terminal(`input_${i}`, value, value.name));
  });
  for (const node of graph.nodes) {
    const kind = kindOf(graph, node);
    for (const id of node.outputs) source.set(id, `node_${node.id}`);
    const label = quote(nodeLines(graph, node));
    lines.push(`  node_${node.id} [label=${label}, fillcolor="${KINDS[kind].color}", tooltip=${tooltip(node, kind)}];`);
  }
  const edge = (id: number, to: string): void => {
    const value = graph.values.get(id);
    const from = source.get(id);
    if (value && from)
      lines.push(`  ${from} -> ${to} [label=${quote([valueLabel(value)])}, tooltip=${quote([valueTooltip(value)])}];`);
  };
  for (const node of graph.nodes) for (const id of node.inputs) if (id !== null) edge(id, `node_${node.id}`);
  graph.outputs.forEach(({ value: id, name }, i) => {
    const value = graph.value(id);
    lines.push(terminal(`output_${i}`, value, name));
    if (value.data) source.set(id, `output_${i}`);
    else edge(id, `output_${i}`);
  });
  return `${[...lines, '}'].join('\n')}\n`;
}
