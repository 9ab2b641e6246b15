import { scanKernel } from '../../codegen/kernels/scan.js';
import { type LowerContext, refOf, type View } from '../../codegen/lowering.js';
import type { CumsumAttrs } from '../cumsum.js';
import { wrapBytes } from './integers.js';
import { memoryOrder } from './movement.js';

/** cumsum: one row after the other, from either end. */
export function lowerCumsum(context: LowerContext, { axis, exclusive, reverse }: CumsumAttrs): void {
  const [x, out] = [context.input(0), context.output()];
  const size = x.shape[axis] as number;
  const others = memoryOrder(out).filter((d) => d !== axis);
  const along = (v: View): number[] => others.map((d) => v.strides[d] as number);
  const step = (v: View): number => (v.strides[axis] as number) * (reverse ? -1 : 1);
  const start = (v: View): number => (reverse ? (size - 1) * (v.strides[axis] as number) : 0);
  const params = {
    storage: x.storage === 'i64' ? 'i64' : 'f32',
    bits: context.outputType().dtype === 'i32' ? 32 : 64,
    exclusive,
    kept: { dims: others.map((d) => x.shape[d] as number), strides: [along(x), along(out)] },
    size,
    steps: [step(x), step(out)],
  } as const;
  context.call(scanKernel, params, [refOf(x, start(x)), refOf(out, start(out))]);
  wrapBytes(context, out);
}
