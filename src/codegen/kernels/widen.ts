import type { Stmt } from '../builder/expr.js';
import type { FunctionBuilder } from '../builder/function.js';
import type { KernelDef } from '../kernel.js';

/** What the bytes are. The count comes at run time: one function per kind serves a whole module. */
export interface WidenParams {
  readonly source: 'i8' | 'u8';
}

function emit(f: FunctionBuilder, p: WidenParams): Stmt[] {
  const src = f.param(0, 'i32');
  const dst = f.param(1, 'i32');
  const count = f.param(2, 'i32');
  const zeroPoint = f.param(3, 'i32');
  const zero = f.local('v128');
  const codes = f.local('v128');
  const sign = p.source === 'i8' ? 's' : 'u';
  const half = (part: 'low' | 'high') =>
    f.op('i16x8', 'sub', f.unary('i16x8', `extend_${part}_i8x16_${sign}`, codes), zero);
  return [
    zero.set(f.splat('i16x8', zeroPoint)),
    f.countDown(f.shrU(count, 4), [
      codes.set(f.load(src)),
      f.store(dst, half('low')),
      f.store(dst, half('high'), 16),
      f.advance(src, 16),
      f.advance(dst, 32),
    ]),
  ];
}

/**
 * Widens `count` one-byte codes to i16 and subtracts their zero point: weights in the file to weights for the kernels.
 * Arguments: src, dst, count (a positive multiple of 16), zeroPoint. Source and destination do not overlap.
 */
export const widen: KernelDef<WidenParams> = {
  name: (p) => `${p.source}-widen-i16-simd`,
  signature: () => ({ params: ['i32', 'i32', 'i32', 'i32'] }),
  emit,
  reference: (p, memory, args) => {
    const [src, dst, count, zeroPoint] = args as [number, number, number, number];
    const view = new DataView(memory);
    for (let i = 0; i < count; i++) {
      const code = p.source === 'i8' ? view.getInt8(src + i) : view.getUint8(src + i);
      view.setInt16(dst + 2 * i, code - zeroPoint, true);
    }
  },
};
