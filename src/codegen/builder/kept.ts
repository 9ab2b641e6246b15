import type { Local, Stmt, V128 } from './expr.js';
import type { FunctionBuilder } from './function.js';

/** The bits of a float32. */
export const floatBits = (value: number): number => new Int32Array(Float32Array.of(value).buffer)[0] as number;

/**
 * Vectors of equal 32-bit lanes that are made once, at the start of a function: V8 rebuilds constant vectors at every use,
 * and must not know that these are constant. The function needs an i32 as parameter 0.
 */
export class KeptVectors {
  /** What runs before the body. */
  readonly setup: Stmt[] = [];
  private readonly f: FunctionBuilder;
  private readonly known = new Map<number, Local<'v128'>>();

  constructor(f: FunctionBuilder) {
    this.f = f;
  }

  get(bits: number): V128 {
    const found = this.known.get(bits);
    if (found) return found;
    const f = this.f;
    const local = f.local('v128');
    this.known.set(bits, local);
    // 0 for every parameter: there are at most 32 trailing zeros
    const zero = f.shrU(f.ctz(f.param(0, 'i32')), 6);
    this.setup.push(local.set(f.splat('i32x4', f.add(zero, bits))));
    return local;
  }
}
