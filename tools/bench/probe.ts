import type { Local, Stmt, V128 } from '../../src/codegen/builder/expr.js';
import { loadBinaryen, ModuleBuilder } from '../../src/codegen/builder/module.js';
import { PROBE_UNROLL } from './probe-speed.js';

/** Chains that do not depend on each other: enough to hide the latency of a product, few enough for 16 registers. */
const CHAINS = 12;

/**
 * A function `probe(count)` that multiplies 16-bit numbers in registers and reads no memory: how fast the core is at
 * this moment, whatever else the machine does. Every instruction does 8 multiplications.
 */
export async function probeModule(): Promise<Uint8Array> {
  const builder = new ModuleBuilder(await loadBinaryen(), { pages: 1, relaxed: false });
  builder.addFunction('probe', { params: ['i32'] }, (f) => {
    const chains = f.vectors(CHAINS);
    const factor = f.local('v128');
    const product = (i: number): Stmt => {
      const chain = chains[i % CHAINS] as Local<'v128'>;
      return chain.set(f.op('i32x4', 'dot_i16x8_s', chain, factor));
    };
    return [
      factor.set(f.splatI16(3)),
      ...chains.map((chain, i) => chain.set(f.splatI16(i + 1))),
      f.countDown(
        f.param(0, 'i32'),
        Array.from({ length: PROBE_UNROLL }, (_, i) => product(i)),
      ),
      f.store(
        f.i32(0),
        chains.reduce((a: V128, b) => f.op('i32x4', 'add', a, b), factor),
      ),
    ];
  });
  builder.exportFunction('probe', 'probe');
  return builder.finish(false);
}
