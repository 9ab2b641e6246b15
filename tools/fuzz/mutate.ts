/** Damaged models: bytes changed, or values of the model replaced by odd ones. */
import { type AttrSpec, type ModelSpec, model, type NodeSpec, type TensorSpec } from '../../test/support/onnx.js';
import { CORPUS, type Seed } from './corpus.js';

/** Random choices from one seed. */
export class Chance {
  private state: number;

  constructor(seed: number) {
    this.state = seed >>> 0 || 1;
  }

  /** An integer in [0, n). */
  below(n: number): number {
    this.state ^= this.state << 13;
    this.state ^= this.state >>> 17;
    this.state ^= this.state << 5;
    return (this.state >>> 0) % n;
  }

  of = <T>(list: readonly T[]): T => list[this.below(list.length)] as T;
}

const ODD = [0, 1, 2, 3, 5, 7, 63, 64, 255, 256, 65535, 2 ** 24, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 40, 2 ** 53 - 1];
const REALS = [0, 1, -1, 0.5, 1e-40, 1e30, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
const TYPES = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 16, 17, 21, 22, 99];
const OPS = [...new Set(CORPUS.flatMap(({ spec }) => (spec.nodes ?? []).map((n) => n.op)))];

const integer = (c: Chance): number => c.of(ODD) * (c.below(3) === 0 ? -1 : 1);

/** Bytes flipped, cut out, repeated or taken from another file. */
function mutateBytes(c: Chance, { bytes }: Seed): Uint8Array {
  const parts = [...bytes];
  for (let i = 0; i <= c.below(4); i++) {
    const at = c.below(parts.length + 1);
    const some = c.below(20);
    switch (c.below(6)) {
      case 0:
        parts.splice(at, some);
        break;
      case 1:
        parts.splice(at, 0, ...parts.slice(at, at + some));
        break;
      case 2:
        parts.splice(at, 0, ...c.of(CORPUS).bytes.subarray(at, at + some));
        break;
      case 3:
        parts.length = at;
        break;
      case 4:
        parts[at] = c.of([0, 127, 128, 255]);
        break;
      default:
        parts[at] = (parts[at] ?? 0) ^ (1 << c.below(8));
    }
  }
  return Uint8Array.from(parts);
}

function mutateTensor(c: Chance, t: TensorSpec): TensorSpec {
  if (typeof t.dtype === 'number') return t; // mutated before
  const data = t.data ? [...t.data] : [];
  switch (c.below(4)) {
    case 0:
      return { ...t, shape: t.shape.map((d) => (c.below(2) ? d : Math.abs(integer(c)))) };
    case 1:
      return { shape: t.shape, dtype: c.of(TYPES), raw: new Uint8Array(8 * data.length) };
    case 2:
      return { shape: [], ...(t.dtype === undefined ? {} : { dtype: t.dtype }), data: data.slice(0, 1) };
    default:
      if (data.length > 0) data[c.below(data.length)] = t.dtype === undefined ? c.of(REALS) : c.of(ODD) % 2 ** 31;
      return { ...t, ...(t.data ? { data } : {}) };
  }
}

function mutateAttr(c: Chance, value: AttrSpec): AttrSpec {
  if (typeof value === 'number') return c.below(4) ? integer(c) : { float: c.of(REALS) };
  if (typeof value === 'string')
    return c.of(['', 'SAME_LOWER', 'VALID', 'cubic', 'edge', 'wrap', '...ij,jk', 'ii->ii']);
  if (Array.isArray(value)) return c.below(3) ? value.map((v) => (c.below(2) ? v : integer(c))) : value.slice(1);
  return value;
}

function mutateNode(c: Chance, node: NodeSpec, names: readonly string[]): NodeSpec {
  const inputs = [...(node.inputs ?? [])];
  const attrs = Object.entries(node.attrs ?? {});
  switch (c.below(6)) {
    case 0:
      return { ...node, op: c.of(OPS) };
    case 1:
      if (inputs.length > 0) inputs[c.below(inputs.length)] = c.of(names);
      return { ...node, inputs };
    case 2:
      return { ...node, inputs: inputs.slice(0, -1) };
    case 3:
      return { ...node, outputs: [...(node.outputs ?? []), `more${c.below(3)}`] };
    case 4:
      return { ...node, attrs: Object.fromEntries(attrs.filter(() => c.below(2) === 0)) };
    default:
      return { ...node, attrs: Object.fromEntries(attrs.map(([k, v]) => [k, c.below(2) ? v : mutateAttr(c, v)])) };
  }
}

/** A shape, dtype, tensor, node or the version replaced. */
function mutateSpec(c: Chance, { spec }: Seed): ModelSpec {
  let next = spec;
  for (let i = 0; i <= c.below(3); i++) {
    const [nodes, initializers] = [[...(next.nodes ?? [])], { ...next.initializers }];
    const names = ['', ...Object.keys(initializers), 'x', ...nodes.flatMap((n) => n.outputs ?? [])];
    const at = c.below(nodes.length || 1);
    switch (c.below(7)) {
      case 0:
        next = { ...next, opset: c.below(27) };
        break;
      case 1:
        next = { ...next, inputs: { x: Array.from({ length: c.below(6) }, () => c.of([0, 1, 2, 4, 7, 'n', null])) } };
        break;
      case 2: {
        const name = c.of(Object.keys(initializers));
        if (name !== undefined) initializers[name] = mutateTensor(c, initializers[name] as TensorSpec);
        next = { ...next, initializers };
        break;
      }
      case 3:
        next = { ...next, nodes: nodes.filter((_, k) => k !== at) };
        break;
      case 4:
        next = { ...next, inputs: { x: { shape: [1, 4, 6, 6].slice(c.below(4)), dtype: c.of([1, 2, 3, 6, 7, 9]) } } };
        break;
      default:
        nodes[at] = mutateNode(c, nodes[at] as NodeSpec, names);
        next = { ...next, nodes };
    }
  }
  return next;
}

/** The damaged model of a seed. */
export function mutant(seed: number): Uint8Array {
  const c = new Chance(seed * 2654435761 + 1);
  const from = c.of(CORPUS);
  return c.below(3) === 0 ? mutateBytes(c, from) : model(mutateSpec(c, from));
}
