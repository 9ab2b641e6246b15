import { fnv1a } from './self-test.js';

/**
 * A module written as what it does not share with another one, its base: NAME.relaxed.bin in packages for both targets.
 * Little-endian uint32 words, then literal bytes:
 *
 * - length of the base; where its last part begins, whose 32-bit FNV-1a follows: the section that holds its hashes;
 * - number of pieces, and for each its start in the base (0: the next literal bytes) and its length.
 */
const HEADER = 4;

/** A stretch of the module: bytes at `start` of the base, or literal ones where it is 0. */
export interface Piece {
  readonly start: number;
  readonly length: number;
}

/** Writes a delta; `tail` is where the last part of the base begins, literal pieces are taken from `module`. */
export function writeDelta(base: Uint8Array, tail: number, module: Uint8Array, pieces: readonly Piece[]): Uint8Array {
  const check = Number.parseInt(fnv1a(base.subarray(tail)), 16);
  const words = Uint32Array.from([
    base.length,
    tail,
    check,
    pieces.length,
    ...pieces.flatMap(({ start, length }) => [start, length]),
  ]);
  const literals = pieces.reduce((n, { start, length }) => n + (start ? 0 : length), 0);
  const out = new Uint8Array(words.byteLength + literals);
  const view = new DataView(out.buffer);
  for (const [i, word] of words.entries()) view.setUint32(4 * i, word, true);
  let [from, to] = [0, words.byteLength];
  for (const { start, length } of pieces) {
    if (!start) out.set(module.subarray(from, from + length), to);
    from += length;
    to += start ? 0 : length;
  }
  return out;
}

/** The module; undefined where the delta was not made for this base. */
export function applyDelta(base: Uint8Array, delta: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
  const view = new DataView(delta.buffer, delta.byteOffset, delta.byteLength);
  const word = (i: number): number => view.getUint32(4 * i, true);
  const ends = delta.length < 4 * HEADER || word(0) !== base.length;
  if (ends || Number.parseInt(fnv1a(base.subarray(word(1))), 16) !== word(2)) return undefined;
  const count = word(3);
  let literal = 4 * (HEADER + 2 * count);
  const parts: Uint8Array[] = [];
  for (let i = 0; i < count; i++) {
    const [start, length] = [word(HEADER + 2 * i), word(HEADER + 2 * i + 1)];
    parts.push(start ? base.subarray(start, start + length) : delta.subarray(literal, literal + length));
    literal += start ? 0 : length;
  }
  const out = new Uint8Array(parts.reduce((n, part) => n + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
