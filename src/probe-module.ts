import type { I32, Local, Stmt, V128 } from './codegen/builder/expr.js';
import type { FunctionBuilder } from './codegen/builder/function.js';
import { loadBinaryen, ModuleBuilder } from './codegen/builder/module.js';
import { PROBE_PRODUCTS, STREAM_BYTES } from './probe-counts.js';

/** Sums that do not depend on each other: enough to hide the latency of a product, few enough for 16 registers. */
const CHAINS = 12;

/** A loop over `steps` statements in registers, the i-th on chain i; each makes a chain of itself, the next and a factor. */
function inRegisters(
  f: FunctionBuilder,
  steps: number,
  factor: V128,
  first: (i: number) => V128,
  step: (own: V128, next: V128, factor: V128) => V128,
): Stmt[] {
  const chains = f.vectors(CHAINS);
  const by = f.local('v128');
  const at = (i: number): Local<'v128'> => chains[i % CHAINS] as Local<'v128'>;
  return [
    by.set(factor),
    ...chains.map((chain, i) => chain.set(first(i + 1))),
    f.countDown(
      f.param(0, 'i32'),
      Array.from({ length: steps }, (_, i) => at(i).set(step(at(i), at(i + 1), by))),
    ),
    f.store(
      f.i32(0),
      chains.reduce((a: V128, b) => f.bitwise('xor', a, b), by),
    ),
  ];
}

/** Copies half of `STREAM_BYTES` to the other half, `count` times. */
function stream(f: FunctionBuilder): Stmt[] {
  const [from, half] = [f.local('i32'), STREAM_BYTES / 2];
  const offsets = [0, 16, 32, 48];
  const held = f.vectors(offsets.length);
  const copy = [
    ...offsets.map((offset, i) => (held[i] as Local<'v128'>).set(f.load(from as I32, offset))),
    ...offsets.map((offset, i) => f.store(from as I32, held[i] as V128, half + offset)),
    f.advance(from, 64),
  ];
  return [f.countDown(f.param(0, 'i32'), [from.set(f.i32(0)), f.repeat(half / 64, copy)])];
}

/**
 * A module of loops that say what the core can do, whatever else the machine does: `probe(count)` multiplies 16-bit numbers
 * in registers; `pairs`, `reals` and, with `relaxed`, `bytes` do the inner step of the kernels' products without their
 * loads; `stream` copies memory.
 */
export async function probeModule(relaxed = false): Promise<Uint8Array> {
  const pages = STREAM_BYTES / 65536 + 1;
  const builder = new ModuleBuilder(await loadBinaryen(), { pages, relaxed });
  const add = (name: keyof typeof PROBE_PRODUCTS | 'stream', body: (f: FunctionBuilder) => Stmt[]): void => {
    builder.addFunction(name, { params: ['i32'] }, body);
    builder.exportFunction(name, name);
  };
  const dot = (f: FunctionBuilder, a: V128, b: V128): V128 => f.op('i32x4', 'dot_i16x8_s', a, b);
  add('probe', (f) =>
    inRegisters(
      f,
      PROBE_PRODUCTS.probe / 8,
      f.splatI16(3),
      (i) => f.splatI16(i),
      (own, _, by) => dot(f, own, by),
    ),
  );
  add('pairs', (f) =>
    inRegisters(
      f,
      PROBE_PRODUCTS.pairs / 8,
      f.splatI16(3),
      (i) => f.splatI16(i),
      (own, next, by) => f.op('i32x4', 'add', own, dot(f, next, by)),
    ),
  );
  add('reals', (f) =>
    inRegisters(
      f,
      PROBE_PRODUCTS.reals / 4,
      f.splatF32(1e-9),
      (i) => f.splatF32(i),
      (own, next, by) => f.op('f32x4', 'add', own, f.op('f32x4', 'mul', next, by)),
    ),
  );
  if (relaxed)
    add('bytes', (f) =>
      inRegisters(
        f,
        PROBE_PRODUCTS.bytes / 16,
        f.splatI16(0x0101),
        (i) => f.splatI16(i),
        (own, next, by) => f.op('i32x4', 'add', own, dot(f, f.relaxedDot8(next, by), by)),
      ),
    );
  add('stream', stream);
  return builder.finish(false);
}
