import type { SourceAttrs } from '../../ops/import-context.js';
import { modelError } from '../../support/errors.js';
import { quoted } from '../names.js';
import { Unsupported } from '../unsupported.js';
import { type AttributeProto, AttributeType, type NodeProto, toNumber } from './proto.js';
import { readTensor, type TensorSource } from './tensors.js';

const { FLOAT, INT, STRING, TENSOR, FLOATS, INTS } = AttributeType;

const KIND: Readonly<Record<number, string>> = {
  [FLOAT]: 'a number',
  [INT]: 'an integer',
  [STRING]: 'a string',
  [TENSOR]: 'a tensor',
  [FLOATS]: 'a list of numbers',
  [INTS]: 'a list of integers',
};

/** The type of an attribute; files of IR version 1 do not write it, there the field that is filled tells. */
function typeOf(a: AttributeProto): number {
  if (a.type !== AttributeType.UNDEFINED) return a.type;
  if (a.ints.length > 0) return INTS;
  if (a.floats.length > 0) return FLOATS;
  if (a.s.length > 0) return STRING;
  if (a.t) return TENSOR;
  return a.f !== 0 ? FLOAT : INT;
}

/** The attributes of a node. Getters throw a model error if one has another type, or is absent without a fallback. */
export function sourceAttrs(node: NodeProto, source: TensorSource): SourceAttrs {
  const byName = new Map(node.attribute.map((a) => [a.name, a]));
  const get = (name: string, ...types: number[]): AttributeProto | undefined => {
    const found = byName.get(name);
    if (!found) return undefined;
    if (found.refAttrName !== '')
      throw new Unsupported(`attribute ${quoted(name)} refers to an attribute of a function`);
    if (!types.includes(typeOf(found)))
      throw modelError(`attribute ${quoted(name)} is not ${KIND[types[0] as number] ?? 'of a known type'}`);
    return found;
  };
  const orElse = <T>(value: T | undefined, name: string, fallback: T | undefined): T => {
    if (value !== undefined) return value;
    if (fallback !== undefined) return fallback;
    throw modelError(`attribute ${quoted(name)} is missing`);
  };
  const real = (a: AttributeProto, v: number): number => {
    if (Number.isNaN(v)) throw modelError(`attribute ${quoted(a.name)} is NaN`);
    return v;
  };
  const number = (a: AttributeProto): number => (typeOf(a) === INT ? toNumber(a.i) : real(a, a.f));
  const list = (a: AttributeProto): number[] =>
    typeOf(a) === INTS ? a.ints.map(toNumber) : a.floats.map((v) => real(a, v));
  const read = <T>(a: AttributeProto | undefined, how: (a: AttributeProto) => T): T | undefined => a && how(a);
  return {
    has: (name) => byName.has(name),
    int: (name, fallback) => orElse(read(get(name, INT), number), name, fallback),
    float: (name, fallback) => orElse(read(get(name, FLOAT, INT), number), name, fallback),
    string: (name, fallback) =>
      orElse(
        read(get(name, STRING), (a) => new TextDecoder().decode(a.s)),
        name,
        fallback,
      ),
    ints: (name, fallback) => [...orElse(read(get(name, INTS), list), name, fallback)],
    floats: (name, fallback) => [...orElse(read(get(name, FLOATS, INTS), list), name, fallback)],
    tensor: (name) => {
      const tensor = get(name, TENSOR)?.t;
      return tensor ? readTensor(tensor, `attribute ${quoted(name)}`, source) : undefined;
    },
  };
}
