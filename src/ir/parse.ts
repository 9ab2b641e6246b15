/** Reads the full text form of a graph (print.ts describes it); lines that begin with # and empty lines are comments. */
import { modelError } from '../support/errors.js';
import { type CodeRange, Graph, type Node, type Origin, type Output, type Placement } from './graph.js';
import { parseBase64, parseElements } from './literal.js';
import { scanAttrs, scanType } from './scan-type.js';
import { Scanner } from './scanner.js';
import { type Tensor, tensor } from './tensor.js';
import { sizeOf, type TensorType } from './type.js';

/** A hostile text must not make the graph reserve room for billions of values. */
const MAX_VALUES = 10_000_000;

interface Declaration {
  readonly id: number;
  readonly name: string;
  readonly type: TensorType;
  readonly range?: CodeRange;
  readonly data?: Tensor;
}

/** What the lines say, before the graph is made. */
interface Parsed {
  name: string | undefined;
  readonly values: Map<number, Declaration>;
  readonly names: Set<string>;
  readonly inputs: number[];
  readonly nodes: Node[];
  readonly folded: [number, { op: string; host: number | null; how: string }][];
  readonly outputs: Output[];
}

/** Reads a graph from its text form. Throws a model error that names line and column. */
export function parse(text: string): Graph {
  const parsed: Parsed = {
    name: undefined,
    values: new Map(),
    names: new Set(),
    inputs: [],
    nodes: [],
    folded: [],
    outputs: [],
  };
  text.split('\n').forEach((line, i) => {
    if (line.trim() === '' || line.startsWith('#')) return;
    const s = new Scanner(line, i + 1);
    parseLine(s, parsed);
    if (!s.done) throw s.error('unexpected text');
  });
  return build(parsed);
}

function parseLine(s: Scanner, parsed: Parsed): void {
  if (s.take('graph ')) {
    if (parsed.name !== undefined) throw s.error('a second graph line');
    parsed.name = s.string('the name of the graph');
  } else if (parsed.name === undefined) throw s.error('the first line must be: graph "NAME"');
  else if (s.take('input ')) parsed.inputs.push(declare(s, parsed).id);
  else if (s.take('const ')) declare(s, parsed, true);
  else if (s.take('folded ')) parsed.folded.push(parseFolded(s));
  else if (s.take('output ')) parsed.outputs.push({ value: reference(s, parsed), name: s.string() });
  else if (s.take('tap kept ')) parsed.outputs.push({ value: reference(s, parsed), name: s.string(), tap: 'kept' });
  else if (s.take('tap passive '))
    parsed.outputs.push({ value: reference(s, parsed), name: s.string(), tap: 'passive' });
  else parsed.nodes.push(parseNode(s, parsed));
}

/** `%id "name": type`, for a constant also its data. */
function declare(s: Scanner, parsed: Parsed, constant = false): Declaration {
  s.expect('%');
  const id = s.integer('a value id');
  if (id < 0 || id > MAX_VALUES) throw s.error(`%${id} is not a possible value id`);
  if (parsed.values.has(id)) throw s.error(`%${id} is declared twice`);
  const name = s.string('the name of the value');
  if (parsed.names.has(name)) throw s.error(`the name ${JSON.stringify(name)} is used twice`);
  s.expect(':');
  const type = scanType(s);
  const range = s.take('in ') ? { range: parseRange(s) } : {};
  const data = constant ? { data: parseData(s, type) } : {};
  const declaration = { id, name, type, ...range, ...data };
  parsed.values.set(id, declaration);
  parsed.names.add(name);
  return declaration;
}

/** `0..127 "relu"`: proven codes and the proof. */
function parseRange(s: Scanner): CodeRange {
  const lo = s.integer('the least code');
  s.expect('..');
  const hi = s.integer('the greatest code');
  return { lo, hi, proof: s.string('the proof of a range') };
}

function parseData(s: Scanner, type: TensorType): Tensor {
  s.expect('=');
  if (s.next === '#') throw s.error('this is the short form; only the full form can be read');
  const data = s.take('base64 ')
    ? parseBase64(type.dtype, s.string('base64 data'))
    : parseElements(
        type.dtype,
        s.list('[', ']', () => s.numeral()),
      );
  if (data === undefined) throw s.error(`the data do not hold elements of type ${type.dtype}`);
  if (data.length !== sizeOf(type.shape))
    throw s.error(`the shape needs ${sizeOf(type.shape)} elements, not ${data.length}`);
  return tensor(type, data);
}

/** `%id` of a value that is declared above. */
function reference(s: Scanner, parsed: Parsed): number {
  s.expect('%');
  const id = s.integer('a value id');
  if (!parsed.values.has(id)) throw s.error(`%${id} is not declared above`);
  return id;
}

function parseNode(s: Scanner, parsed: Parsed): Node {
  const declared: Declaration[] = [];
  if (s.next === '%')
    do declared.push(declare(s, parsed));
    while (s.take(','));
  s.expect('=');
  const op = s.name('an op');
  const outputs = declared.map((d) => d.id);
  const inputs = s.list('(', ')', () => (s.take('_') ? null : reference(s, parsed)));
  const self = inputs.find((id) => id !== null && outputs.includes(id));
  if (self !== undefined) throw s.error(`%${self} is an operand of the node that makes it`);
  const attrs = s.next === '{' ? scanAttrs(s) : {};
  s.expect('id=');
  const id = s.integer('a node id');
  if (id < 0) throw s.error('node ids are not negative');
  const origin = s.take('origin=') ? parseOrigin(s) : { name: '', type: op };
  const fused: Node['fused'] = [];
  if (s.take('fused='))
    do fused.push(parseFused(s));
    while (s.take(','));
  const placement = parsePlacement(s);
  return { id, op, attrs, inputs, outputs, origin, fused, ...(placement ? { placement } : {}) };
}

function parseFused(s: Scanner): Node['fused'][number] {
  const op = s.name('a fused op');
  s.expect('(');
  const id = s.integer('the id of a fused op');
  s.expect(')');
  return { id, op };
}

function parseOrigin(s: Scanner): Origin {
  const text = s.string('the origin');
  const colon = text.indexOf(':');
  if (colon < 0) throw s.error('an origin is "TYPE:NAME"');
  return { name: text.slice(colon + 1), type: text.slice(0, colon).replaceAll('%3A', ':').replaceAll('%25', '%') };
}

function parsePlacement(s: Scanner): Placement | undefined {
  const int8 = s.take('int8');
  if (!int8 && !s.take('float')) return undefined;
  const reason = s.take('=') ? { reason: s.string('the reason of the placement') } : {};
  const byUser = s.take('byUser=') ? { byUser: s.word() === 'true' } : {};
  return { int8, ...reason, ...byUser };
}

function parseFolded(s: Scanner): Parsed['folded'][number] {
  const id = s.integer('a node id');
  const op = s.string('an op type');
  const host = s.take('host=') ? s.integer('a node id') : null;
  return [id, { op, host, how: s.string('what became of the node') }];
}

/** Makes the graph. Values get their ids in order of creation, so gaps are filled and the fillers taken out again. */
function build(parsed: Parsed): Graph {
  if (parsed.name === undefined) throw modelError('there is no graph in this text');
  const graph = new Graph(parsed.name);
  const last = [...parsed.values.keys()].reduce((a, b) => Math.max(a, b), -1);
  for (let id = 0; id <= last; id++) {
    const d = parsed.values.get(id);
    if (d) {
      const value = d.data ? graph.addConstant(d.name, d.data) : graph.addInput(d.name, d.type);
      if (d.range) value.range = d.range;
    } else {
      let filler = `unused ${id}`;
      while (parsed.names.has(filler)) filler += '_';
      graph.values.delete(graph.addInput(filler, { dtype: 'f32', shape: [] }).id);
    }
  }
  graph.inputs.splice(0, graph.inputs.length, ...parsed.inputs);
  for (const node of parsed.nodes) {
    graph.reserveIds(node.id + 1);
    for (const { id } of node.fused) graph.reserveIds(id + 1);
    graph.nodes.push(node);
  }
  for (const [id, how] of parsed.folded) {
    graph.reserveIds(id + 1);
    graph.folded.set(id, how);
  }
  for (const { value, name, tap } of parsed.outputs) graph.addOutput(value, name, tap);
  return graph;
}
