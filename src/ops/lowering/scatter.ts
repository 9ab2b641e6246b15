import { type ScatterParams, scatterKernel } from '../../codegen/kernels/scatter.js';
import { type LowerContext, refOf } from '../../codegen/lowering.js';
import { wrapBytes } from './integers.js';
import { applyMap, withContiguousOutput } from './movement.js';

/** scatter: x is copied, then rows are written one after the other. */
export function lowerScatter(
  context: LowerContext,
  { reduction }: { readonly reduction: ScatterParams['reduction'] },
): void {
  const x = context.input(0);
  const [places, updates] = [1, 2].map((slot) => context.input(slot, { contiguous: true })) as [typeof x, typeof x];
  const [rows, run] = x.shape as [number, number];
  withContiguousOutput(context, (out) => {
    applyMap(context, { kind: 'copy' }, x, out);
    const storage = out.storage === 'i64' ? 'i64' : 'f32';
    const bits = context.outputType().dtype === 'i32' ? 32 : 64;
    const params = { storage, bits, reduction, count: places.shape[0] as number, rows, run } as const;
    context.call(scatterKernel, params, [refOf(places), refOf(updates), refOf(out)]);
    wrapBytes(context, out);
  });
}
