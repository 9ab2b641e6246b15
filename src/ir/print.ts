/**
 * The text form of a graph, one line per input, constant, node and output:
 *
 *     graph "digits"
 *     input %0 "input": f32[1,1,28,28]
 *     const %1 "w": i8[8,1,3,3] @i8(axis=0, [0.01, 0.02, ...]) = base64 "AQID..."
 *     const %2 "axes": i64[2] = [2, 3]
 *     %3 "x_q": u8[1,1,28,28] @u8(0.0039, zp=128) = quantize(%0) id=0 origin="QuantizeLinear:q0"
 *     %4 "y": u8[1,8,28,28] @u8(0.0235) = conv2d(%3, %1, _) {"strides":[1,1]} id=4 fused=relu(5) int8
 *     folded 6 "Identity" host=4 "passes its input through"
 *     output %4 "logits"
 *
 * A type may be followed by the codes that are proven, `in 0..127 "relu"`: centred codes, and why.
 *
 * `@` gives the grid: code type, scale or axis and scales, zero points unless all are 0, range unless it is that of the
 * code type, and `away` where ties are not rounded to even. Attributes are JSON, but grids stand in the same way. `_` is
 * an absent optional input. Constants that nothing reads are left out. The full form reads back exactly (parse.ts); the
 * short form abbreviates the data of large constants and long lists of scales, for people.
 */
import type { AttrValue, CodeRange, Graph, Node, Value } from './graph.js';
import { base64Text, digestText, elementText, float32Text, INLINE_ELEMENTS, isInline, numberText } from './literal.js';
import { CODE_RANGE, type Quant, type TensorType } from './type.js';

/** `full` reads back exactly, `short` is for people. */
export type TextForm = 'full' | 'short';

/** A word that needs no quotes in the text form. */
export const WORD = /^[A-Za-z_][\w.]*$/;

/** An op name: bare where it is a word. */
const opText = (op: string): string => (WORD.test(op) ? op : JSON.stringify(op));

/** A grid as text, `@u8(0.0235, zp=128)`. */
export function quantText(q: Quant, form: TextForm = 'full'): string {
  const scales = q.scales.map(q.reciprocal ? numberText : float32Text);
  const zeroPoints = q.zeroPoints.map(numberText);
  const parts: string[] = [];
  const list = (items: string[]): string =>
    form === 'short' && items.length > INLINE_ELEMENTS
      ? `[${items.slice(0, 3).join(', ')}, ... ${items.length}]`
      : `[${items.join(', ')}]`;
  if (q.axis === null && scales.length === 1) parts.push(scales[0] as string);
  else parts.push(`axis=${q.axis ?? 'none'}`, list(scales));
  const allZero = q.zeroPoints.length === q.scales.length && q.zeroPoints.every((z) => Object.is(z, 0));
  if (!allZero) parts.push(`zp=${q.axis === null && zeroPoints.length === 1 ? zeroPoints[0] : list(zeroPoints)}`);
  const [min, max] = CODE_RANGE[q.dtype];
  if (q.min !== min || q.max !== max) parts.push(`range=${q.min}..${q.max}`);
  if (q.rounding === 'away') parts.push('away');
  if (q.reciprocal) parts.push('reciprocal');
  return `@${q.dtype}(${parts.join(', ')})`;
}

/** A type as text, `u8[1,16,32,32] @u8(0.0235, zp=128)`. */
export function typeText(type: TensorType, form: TextForm = 'full'): string {
  const plain = `${type.dtype}[${type.shape.join(',')}]`;
  return type.quant ? `${plain} ${quantText(type.quant, form)}` : plain;
}

const QUANT_KEYS = 'dtype,axis,scales,zeroPoints,min,max,rounding';

/** The grid that an attribute holds, if the text of the grid says all of it. */
function gridOf(value: object): Quant | undefined {
  const q = value as Quant;
  if (Object.keys(value).join() !== (q.reciprocal ? `${QUANT_KEYS},reciprocal` : QUANT_KEYS)) return undefined;
  const exact = [q.scales, q.zeroPoints].every(
    (list) => Array.isArray(list) && list.every((x) => q.reciprocal || Math.fround(x) === x),
  );
  return exact && q.dtype in CODE_RANGE && (q.rounding === 'even' || q.rounding === 'away') ? q : undefined;
}

/** An attribute as text: JSON, but grids as `@u8(...)`, and numbers that JSON does not know as inf, -inf and nan. */
export function attrText(value: AttrValue | undefined, form: TextForm = 'full'): string {
  if (typeof value === 'number') return numberText(value);
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) return `[${value.map((item: AttrValue) => attrText(item, form)).join(',')}]`;
  const grid = gridOf(value);
  if (grid) return quantText(grid, form);
  const entries = Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}:${attrText(item, form)}`);
  return `{${entries.join(',')}}`;
}

/** Proven codes as text, `in 0..127`. */
export const rangeText = ({ lo, hi }: CodeRange): string => `in ${lo}..${hi}`;

function declaration(value: Value, form: TextForm): string {
  const { id, name, type, range } = value;
  const proven = range ? ` ${rangeText(range)} ${JSON.stringify(range.proof)}` : '';
  return `%${id} ${JSON.stringify(name)}: ${typeText(type, form)}${proven}`;
}

function constantText(value: Value, form: TextForm): string {
  const data = value.data?.data;
  if (data === undefined) return '';
  const first = (n: number): string =>
    Array.from({ length: Math.min(n, data.length) }, (_, i) => elementText(data, i)).join(', ');
  if (isInline(data)) return `[${first(INLINE_ELEMENTS)}]`;
  return form === 'full' ? `base64 "${base64Text(data)}"` : `#${digestText(data)} [${first(4)}, ...]`;
}

/** Op type and name in the source, `"Conv:conv1"`; a colon in the type is escaped. */
function originText({ name, type }: Node['origin']): string {
  return JSON.stringify(`${type.replace(/[%:]/g, encodeURIComponent)}:${name}`);
}

function placementText(node: Node): string[] {
  if (!node.placement) return [];
  const { int8, reason, byUser } = node.placement;
  const word = int8 ? 'int8' : 'float';
  const flag = byUser === undefined ? [] : [`byUser=${byUser}`];
  return [reason === undefined ? word : `${word}=${JSON.stringify(reason)}`, ...flag];
}

/** One node as a line of the text form. */
export function printNode(graph: Graph, node: Node, form: TextForm = 'full'): string {
  const outputs = node.outputs.map((id) => {
    const value = graph.values.get(id);
    return value ? declaration(value, form) : `%${id} ?`;
  });
  const inputs = node.inputs.map((id) => (id === null ? '_' : `%${id}`)).join(', ');
  const parts = [`${outputs.join(', ')} = ${opText(node.op)}(${inputs})`.trimStart()];
  if (Object.keys(node.attrs).length > 0) parts.push(attrText(node.attrs, form));
  parts.push(`id=${node.id}`);
  if (node.origin.name !== '' || node.origin.type !== node.op) parts.push(`origin=${originText(node.origin)}`);
  if (node.fused.length > 0) parts.push(`fused=${node.fused.map((f) => `${opText(f.op)}(${f.id})`).join(',')}`);
  return [...parts, ...placementText(node)].join(' ');
}

/** The values that nodes or outputs read. */
function readValues(graph: Graph): Set<number> {
  const read = new Set(graph.outputs.map((o) => o.value));
  for (const node of graph.nodes) for (const id of node.inputs) if (id !== null) read.add(id);
  return read;
}

/** A graph in the text form. */
export function print(graph: Graph, form: TextForm = 'full'): string {
  const lines = [`graph ${JSON.stringify(graph.name)}`];
  for (const id of graph.inputs) lines.push(`input ${declaration(graph.value(id), form)}`);
  const read = readValues(graph);
  for (const value of [...graph.values.values()].sort((a, b) => a.id - b.id))
    if (value.data && read.has(value.id))
      lines.push(`const ${declaration(value, form)} = ${constantText(value, form)}`);
  for (const node of graph.nodes) lines.push(printNode(graph, node, form));
  for (const [id, { op, host, how }] of graph.folded)
    lines.push(`folded ${id} ${JSON.stringify(op)}${host === null ? '' : ` host=${host}`} ${JSON.stringify(how)}`);
  for (const { value, name, tap } of graph.outputs)
    lines.push(`${tap ? `tap ${tap}` : 'output'} %${value} ${JSON.stringify(name)}`);
  return `${lines.join('\n')}\n`;
}
