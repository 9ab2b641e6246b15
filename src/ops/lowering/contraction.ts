import { STORAGE_BYTES } from '../../codegen/kernel.js';
import { contractKernel } from '../../codegen/kernels/contract.js';
import { fillKernel } from '../../codegen/kernels/fill.js';
import { type LowerContext, NO_HALO, refOf, type View } from '../../codegen/lowering.js';
import type { Attrs } from '../../ir/graph.js';
import { rowMajorStrides } from '../../ir/tensor.js';
import { sizeOf } from '../../ir/type.js';
import type { Activation } from '../../quant/activation.js';
import { type EinsumAttrs, einsumNests } from '../contraction.js';
import { convNests, firstTap, type GeneralConvAttrs, keptRange, type Spread, spreadOf } from '../conv-general.js';
import type { ConvAttrs } from '../conv-shared.js';
import { applyBinary } from './elementwise.js';
import { applyInteger } from './integers.js';
import { applyMap, applyOp, rowMajorScratch } from './movement.js';

/** One element for sums to start at, or to multiply by. */
function number(context: LowerContext, storage: 'f32' | 'i64', value: number): View {
  const content = storage === 'i64' ? BigInt64Array.of(BigInt(value)) : Float32Array.of(value, value, value, value);
  return { ...context.data(content), offset: 0, storage, shape: [], strides: [], halo: NO_HALO };
}

/** einsum: one contraction; a single operand is multiplied by 1. */
export function lowerEinsum(context: LowerContext, attrs: EinsumAttrs): void {
  const [x, out] = [context.input(0), context.output()];
  const storage = out.storage === 'i64' ? 'i64' : 'f32';
  const y = context.hasInput(1) ? context.input(1) : number(context, storage, 1);
  const nests = einsumNests(attrs, [x.shape, y.shape], [x.strides, y.strides, out.strides]);
  const start = number(context, storage, 0);
  context.call(contractKernel, { storage, ...nests }, [refOf(x), refOf(y), refOf(start), refOf(out)]);
  const { dtype } = context.outputType();
  if (dtype === 'i32') applyInteger(context, 'bit_or', [out, out], out, dtype);
}

/** x among zeros in row-major scratch memory. */
function spreadView(context: LowerContext, x: View, spread: Spread): View {
  const strides = rowMajorStrides(spread.shape);
  if (spread.shape.every((n, d) => n === x.shape[d] && spread.before[d] === 0)) return x;
  const view = rowMajorScratch(context, x.storage, spread.shape);
  context.call(fillKernel, { kind: 'all', bytes: sizeOf(spread.shape) * STORAGE_BYTES[x.storage] }, [refOf(view)]);
  const ranges = x.shape.map((n, d) => keptRange(spread, d, n));
  const shape = ranges.map(([first, past]) => past - first);
  if (sizeOf(shape) === 0) return view;
  const from = ranges.reduce((sum, [first], d) => sum + first * (x.strides[d] as number), 0);
  const to = ranges.reduce(
    (sum, [first], d) =>
      sum + (first * (spread.steps[d] as number) + (spread.before[d] as number)) * (strides[d] as number),
    0,
  );
  const inner = { ...view, offset: to, shape, strides: strides.map((s, d) => s * (spread.steps[d] as number)) };
  applyMap(context, { kind: 'copy' }, { ...x, offset: x.offset + from, shape, halo: NO_HALO }, inner);
  return view;
}

/** A convolution of images with weights that the network computes; then residual and activation, as steps of their own. */
export function lowerComputedConv(
  context: LowerContext,
  attrs: ConvAttrs,
  transposed: Pick<GeneralConvAttrs, 'transposed' | 'outputPads'> = { transposed: false, outputPads: [] },
): void {
  const { activation, ...window } = attrs;
  lowerGeneralConv(context, { ...window, ...transposed });
  const out = context.output();
  if (context.hasInput(3)) applyBinary(context, 'add', out, context.input(3), out);
  if (activation) applyOp(context, { kind: 'activation', activation: activation as Activation & Attrs }, out);
}

/** A convolution of reals over any dimensions, with weights that may be computed; without activation and residual. */
export function lowerGeneralConv(context: LowerContext, attrs: GeneralConvAttrs): void {
  const [x, w, out] = [context.input(0), context.input(1), context.output()];
  const spread = spreadView(context, x, spreadOf(attrs, x.shape, w.shape));
  const hasBias = context.hasInput(2);
  const bias = hasBias ? context.input(2, { contiguous: true }) : number(context, 'f32', 0);
  const shapes = { x: x.shape, w: w.shape, out: out.shape };
  const nests = convNests(attrs, shapes, { x: spread.strides, w: w.strides, out: out.strides }, hasBias);
  const taps = refOf(w, firstTap(attrs, w.shape, w.strides));
  context.call(contractKernel, { storage: 'f32', ...nests }, [refOf(spread), taps, refOf(bias), refOf(out)]);
}
