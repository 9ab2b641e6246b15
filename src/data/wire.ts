import { modelError } from '../support/errors.js';

/** One field of a protobuf message. Which member is set depends on the wire type. */
export interface Field {
  readonly number: number;
  /** Of wire type 0, as a signed 64-bit integer. */
  readonly varint?: bigint;
  /** Content of wire types 1 (8 bytes), 2 (any length) and 5 (4 bytes). */
  readonly bytes?: Uint8Array;
  readonly packed?: boolean;
}

const damaged = (): Error => modelError('not an ONNX tensor: it is truncated or damaged');

function readVarint(bytes: Uint8Array, at: number): { value: bigint; next: number } {
  let low = 0;
  let i = at;
  // The first four bytes fit a number; few varints are longer, and bigint is slow.
  for (; i < at + 4; i++) {
    const byte = bytes[i];
    if (byte === undefined) throw damaged();
    low |= (byte & 127) << (7 * (i - at));
    if (byte < 128) return { value: BigInt(low), next: i + 1 };
  }
  let value = BigInt(low);
  for (; i < at + 10; i++) {
    const byte = bytes[i];
    if (byte === undefined) throw damaged();
    value |= BigInt(byte & 127) << BigInt(7 * (i - at));
    if (byte < 128) return { value: BigInt.asIntN(64, value), next: i + 1 };
  }
  throw damaged();
}

/** Splits a protobuf message into its fields, without knowing its schema. */
export function readFields(bytes: Uint8Array): Field[] {
  const fields: Field[] = [];
  let at = 0;
  const take = (length: number): Uint8Array => {
    if (at + length > bytes.length) throw damaged();
    at += length;
    return bytes.subarray(at - length, at);
  };
  while (at < bytes.length) {
    const tag = readVarint(bytes, at);
    at = tag.next;
    const number = Number(tag.value >> 3n);
    const wire = Number(tag.value & 7n);
    if (number < 1) throw damaged();
    if (wire === 0) {
      const { value, next } = readVarint(bytes, at);
      at = next;
      fields.push({ number, varint: value });
    } else if (wire === 1 || wire === 5) fields.push({ number, bytes: take(wire === 1 ? 8 : 4) });
    else if (wire === 2) {
      const { value, next } = readVarint(bytes, at);
      at = next;
      if (value < 0n) throw damaged();
      fields.push({ number, bytes: take(Number(value)), packed: true });
    } else throw damaged();
  }
  return fields;
}

function readVarints(bytes: Uint8Array): bigint[] {
  const values: bigint[] = [];
  for (let at = 0; at < bytes.length; ) {
    const { value, next } = readVarint(bytes, at);
    values.push(value);
    at = next;
  }
  return values;
}

/** The numbers of a repeated field, packed or not. */
export function readPacked(field: Field, kind: 'varint'): bigint[];
export function readPacked(field: Field, kind: 'f32' | 'f64'): number[];
export function readPacked(field: Field, kind: 'varint' | 'f32' | 'f64'): bigint[] | number[] {
  const { bytes, varint } = field;
  if (kind === 'varint') {
    if (varint !== undefined) return [varint];
    if (!field.packed || !bytes) throw damaged();
    return readVarints(bytes);
  }
  const ArrayType = kind === 'f32' ? Float32Array : Float64Array;
  if (!bytes || bytes.length % ArrayType.BYTES_PER_ELEMENT !== 0) throw damaged();
  return Array.from(new ArrayType(new Uint8Array(bytes).buffer));
}
