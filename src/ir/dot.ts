/**
 * Graphviz text of a graph. Every node is labelled `type (id)`, what was fused into it after a plus sign, then its name in
 * the source, its constants and its attributes; edges carry the type of the value. The fill colour says how the node
 * computes, the tooltip why. Works at any stage: before placement, a node on codes counts as int8 and the rest is white.
 */
import { assert } from '../support/errors.js';
import { makerOf } from './history.js';
import { rangeText } from './print.js';
import {
  type NodeKind,
  type NodeSnapshot,
  nodeTitle,
  type Snapshot,
  typeLabel,
  type ValueSnapshot,
} from './snapshot.js';

/** How a node computes, with the fill colours of the legend. */
const KINDS: Readonly<Record<NodeKind, { readonly color: string; readonly text: string }>> = {
  int8: { color: '#a8dba8', text: 'int8' },
  float: { color: '#f7c6a3', text: 'float' },
  boundary: { color: '#ffe680', text: 'quantize, dequantize, requantize' },
  open: { color: '#ffffff', text: 'not placed yet' },
};

const TERMINAL_COLOR = '#d6e4f5';

/** The longest attribute or name that a label shows in full. */
const MAX_TEXT = 60;

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

const valueLabel = ({ type, range }: ValueSnapshot): string => typeLabel(type) + (range ? ` ${rangeText(range)}` : '');

const valueTooltip = ({ id, name, range }: ValueSnapshot): string =>
  `%${id} ${clip(name)}${range ? `: ${range.proof}` : ''}`;

function constantLine({ name, type, constant }: ValueSnapshot): string {
  return `${clip(name)}: ${typeLabel(type)}${constant?.startsWith('[') ? ` = ${constant}` : ''}`;
}

function nodeLines({ values }: Snapshot, node: NodeSnapshot): string[] {
  const lines = [nodeTitle(node)];
  if (node.origin.name !== '') lines.push(clip(node.origin.name));
  for (const id of node.inputs) {
    const value = id === null ? undefined : values.get(id);
    if (value?.constant !== undefined) lines.push(constantLine(value));
  }
  for (const [key, value] of node.attrs) lines.push(clip(`${key}=${value}`));
  return lines;
}

function tooltip({ kind, op, origin, reason, neededBy, byUser, changes }: NodeSnapshot): string {
  const from = origin.type === op ? [] : [`from ${origin.type}`];
  const maker = makerOf(changes);
  const made = maker ? [`made by ${maker.rule === maker.pass ? maker.pass : `${maker.pass}/${maker.rule}`}`] : [];
  const why = [...(reason === undefined ? [] : [reason]), ...(neededBy === undefined ? [] : [`for ${neededBy}`])];
  return quote([[KINDS[kind].text, ...why, ...(byUser ? ['asked for by the user'] : []), ...from, ...made].join('; ')]);
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

function getValue(graph: Snapshot, id: number): ValueSnapshot {
  const value = graph.values.get(id);
  assert(value, `no value %${id}`);
  return value;
}

/** A graph as Graphviz text; `title` says which stage it shows. */
export function toDot(graph: Snapshot, title = graph.name): string {
  const lines = [
    `digraph ${quote([graph.name])} {`,
    `  label=${quote([title])}; labelloc=t; rankdir=TB;`,
    '  node [shape=box, style="filled,rounded", fontname="Helvetica", fontsize=10];',
    '  edge [fontname="Helvetica", fontsize=8];',
    ...legend(),
  ];
  const source = new Map<number, string>();
  const terminal = (id: string, value: ValueSnapshot, name: string): string =>
    `  ${id} [label=${quote([clip(name), typeLabel(value.type)])}, shape=ellipse, fillcolor="${TERMINAL_COLOR}"];`;
  graph.inputs.forEach((id, i) => {
    const value = getValue(graph, id);
    source.set(id, `input_${i}`);
    lines.push(terminal(`input_${i}`, value, value.name));
  });
  for (const node of graph.nodes) {
    for (const id of node.outputs) source.set(id, `node_${node.id}`);
    const label = quote(nodeLines(graph, node));
    lines.push(`  node_${node.id} [label=${label}, fillcolor="${KINDS[node.kind].color}", tooltip=${tooltip(node)}];`);
  }
  const edge = (id: number, to: string): void => {
    const value = graph.values.get(id);
    const from = source.get(id);
    if (value && from)
      lines.push(`  ${from} -> ${to} [label=${quote([valueLabel(value)])}, tooltip=${quote([valueTooltip(value)])}];`);
  };
  for (const node of graph.nodes) for (const id of node.inputs) if (id !== null) edge(id, `node_${node.id}`);
  graph.outputs.forEach(({ value: id, name }, i) => {
    const value = getValue(graph, id);
    lines.push(terminal(`output_${i}`, value, name));
    if (value.constant !== undefined) source.set(id, `output_${i}`);
    else edge(id, `output_${i}`);
  });
  return `${[...lines, '}'].join('\n')}\n`;
}
