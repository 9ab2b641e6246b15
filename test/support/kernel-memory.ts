import './relaxed.js';
import * as assert from 'uvu/assert';
import type { Stmt } from '../../src/codegen/builder/expr.js';
import type { FunctionBuilder } from '../../src/codegen/builder/function.js';
import { loadBinaryen, ModuleBuilder, type Signature } from '../../src/codegen/builder/module.js';
import { type KernelDef, type SplitPart, STORAGE_BYTES, type Storage } from '../../src/codegen/kernel.js';

const binaryen = await loadBinaryen();
const PAGE = 65536;

/** Compiles one function; returns a runner on a copy of the given memory. */
export function compileFunction(
  signature: Signature,
  body: (f: FunctionBuilder) => readonly Stmt[],
  pages: number,
): (memory: Uint8Array, args: readonly number[]) => Uint8Array {
  const builder = new ModuleBuilder(binaryen, { pages, relaxed: true });
  builder.addFunction('kernel', signature, body);
  builder.exportFunction('kernel', 'kernel');
  const module = new WebAssembly.Module(builder.finish(true) as BufferSource);
  const { exports } = new WebAssembly.Instance(module, {});
  const kernel = exports.kernel as (...args: number[]) => void;
  const bytes = new Uint8Array((exports.memory as WebAssembly.Memory).buffer);
  return (memory, args) => {
    bytes.set(memory);
    kernel(...args);
    return bytes;
  };
}

/** A deterministic stream of integers in [0, 2^32). */
export function randomInts(seed: number): () => number {
  let s = (seed ^ 0x9e3779b9) >>> 0 || 1;
  return () => {
    s ^= s << 13;
    s >>>= 0;
    s ^= s >>> 17;
    s ^= s << 5;
    s >>>= 0;
    return s;
  };
}

/** A memory that fills up from address 64, with 64 spare bytes behind every tensor. */
export class TestMemory {
  readonly bytes: Uint8Array;
  private top = 64;

  constructor(pages: number, seed: number) {
    this.bytes = new Uint8Array(pages * PAGE);
    const next = randomInts(seed);
    const words = new Uint32Array(this.bytes.buffer);
    // small floats and small codes alike: whatever lies around must not be special
    for (let i = 0; i < words.length; i++) words[i] = 0x3f003f00 ^ (next() & 0x00ff00ff);
  }

  private place(bytes: number): number {
    const address = this.top;
    this.top = (this.top + bytes + 64 + 3) & ~3;
    assert.ok(this.top <= this.bytes.length, 'test memory too small');
    return address;
  }

  /** Space for `n` elements of `size` bytes. */
  space(n: number, size: number): number {
    return this.place(n * size);
  }

  i8(values: ArrayLike<number>): number {
    const address = this.place(values.length);
    new Int8Array(this.bytes.buffer, address, values.length).set(values);
    return address;
  }

  i16(values: ArrayLike<number>): number {
    const address = this.place(values.length * 2);
    new Int16Array(this.bytes.buffer, address, values.length).set(values);
    return address;
  }

  f32(values: ArrayLike<number>): number {
    const address = this.place(values.length * 4);
    new Float32Array(this.bytes.buffer, address, values.length).set(values);
    return address;
  }

  /** A tensor with `spare` elements between it and the end of the memory: what reads further traps. */
  atEnd(storage: Storage, values: ArrayLike<number>, spare: number): number {
    const address = this.bytes.length - (values.length + spare) * STORAGE_BYTES[storage];
    assert.ok(this.top <= address, 'test memory too small');
    const view = { i8: Int8Array, i16: Int16Array, f32: Float32Array }[storage];
    new view(this.bytes.buffer as ArrayBuffer, address, values.length).set(values);
    return address;
  }

  /** A tensor of a storage. */
  tensor(storage: Storage, values: ArrayLike<number>): number {
    return this[storage](values);
  }
}

/**
 * Runs a kernel and its reference on copies of one memory: all bytes must be equal. Where the call can be cut, so must be those
 * that its parts leave, but for the bytes of `scratch`.
 */
export function checkKernel<P extends object>(
  def: KernelDef<P>,
  params: P,
  memory: TestMemory,
  args: readonly number[],
  scratch: Scratch = { start: 0, bytes: 0 },
): Uint8Array {
  const run = compileFunction(def.signature(params), (f) => def.emit(f, params), memory.bytes.length / PAGE);
  const actual = run(memory.bytes, args);
  const expected = memory.bytes.slice();
  def.reference(params, expected.buffer, args);
  if (Buffer.compare(actual, expected) !== 0) {
    const at = actual.findIndex((v, i) => v !== expected[i]);
    const word = at & ~3;
    const show = (b: Uint8Array): string =>
      `f32 ${new Float32Array(b.buffer, word, 1)[0]}, i16 ${new Int16Array(b.buffer, word, 2).join(' ')}`;
    assert.unreachable(
      `${def.name(params)} differs at byte ${at} (args ${args.join(' ')}): is ${show(actual)}, expected ${show(expected)}; ${JSON.stringify(params)}`,
    );
  }
  checkParts(def, params, memory, args, expected, scratch);
  return expected;
}

/** A stretch of memory that may hold anything afterwards. */
interface Scratch {
  readonly start: number;
  readonly bytes: number;
}

/** The parts of a call, last one first, must leave the bytes of the whole. */
function checkParts<P extends object>(
  def: KernelDef<P>,
  params: P,
  memory: TestMemory,
  args: readonly number[],
  expected: Uint8Array,
  scratch: Scratch,
): void {
  const split = def.split?.(params);
  if (!split || split.units < 2) return;
  const size = Math.ceil(split.units / 3);
  const parts: SplitPart<P>[] = [];
  for (let first = 0; first < split.units; first += size)
    parts.unshift(split.part(first, Math.min(size, split.units - first)));
  const actual = memory.bytes.slice();
  for (const part of parts)
    def.reference(
      part.params,
      actual.buffer,
      args.map((arg, i) => arg + (part.offsets[i] ?? 0)),
    );
  const inScratch = (i: number): boolean => i >= scratch.start && i < scratch.start + scratch.bytes;
  const at = actual.findIndex((v, i) => v !== expected[i] && !inScratch(i));
  if (at >= 0)
    assert.unreachable(
      `${parts.length} parts of ${def.name(params)} differ at byte ${at}: ${JSON.stringify([params, parts])}`,
    );
}

const EXTREME_FLOATS = [0, -0, 0.5, -0.5, 1.5, -1.5, 2.5, 1e30, -1e30, 3e38, -3e38, Infinity, -Infinity, 1e-40, 127.5];
const EXTREME_CODES = [0, 255, -255, 127, -128, 1, -1, 3, 5];

/** Random centred codes with extremes among them. */
export const randomCodes = (n: number, seed: number): Int16Array => {
  const next = randomInts(seed);
  return Int16Array.from({ length: n }, () =>
    next() % 8 === 0 ? EXTREME_CODES[next() % EXTREME_CODES.length]! : (next() % 511) - 255,
  );
};

/** Random centred codes as a storage holds them: in 0..127 for i8. */
export const codesFor = (storage: 'i8' | 'i16', n: number, seed: number): Int16Array =>
  storage === 'i16' ? randomCodes(n, seed) : randomCodes(n, seed).map((v) => v & 127);

/** Random floats in about -limit..limit; with `extremes` also ties, huge numbers and infinities. */
export const randomFloats = (n: number, seed: number, limit = 4, extremes = false): Float32Array => {
  const next = randomInts(seed);
  return Float32Array.from({ length: n }, () =>
    extremes && next() % 8 === 0
      ? EXTREME_FLOATS[next() % EXTREME_FLOATS.length]!
      : ((next() / 2 ** 31 - 1) * limit * (next() % 100)) / 100,
  );
};
