import { STORAGE_BYTES } from '../../codegen/kernel.js';
import { fillKernel } from '../../codegen/kernels/fill.js';
import { type LowerContext, NO_HALO, type View } from '../../codegen/lowering.js';
import { sizeOf } from '../../ir/type.js';
import {
  flippedType,
  flippedWeights,
  stayingRange,
  stuffingOf,
  type TransposeConvAttrs,
  unitConv,
} from '../conv-transpose-shared.js';
import { lowerComputedConv } from './contraction.js';
import { lowerConv2d } from './convolution.js';
import { applyMap } from './movement.js';
import { lowerPhases } from './transpose-phases.js';

/** x among zeros in scratch memory, channels innermost. */
function stuffed(context: LowerContext, attrs: TransposeConvAttrs): View {
  const x = context.input(0);
  const { shape, before } = stuffingOf(attrs, x.shape, context.inputType(1).shape);
  const [, c, h, w] = shape;
  const bytes = sizeOf(shape) * STORAGE_BYTES[x.storage];
  const target = context.scratch(bytes);
  context.call(fillKernel, { kind: 'all', bytes }, [target]);
  const strides = [h * w * c, 1, w * c, c] as const;
  const view: View = { buffer: target.buffer, offset: 0, storage: x.storage, shape, strides, halo: NO_HALO };
  const ranges = [0, 1].map((d) =>
    stayingRange(attrs.strides[d] as number, before[d] as number, x.shape[d + 2] as number, shape[d + 2] as number),
  ) as [[number, number], [number, number]];
  const kept = [x.shape[0] as number, c, ranges[0][1] - ranges[0][0], ranges[1][1] - ranges[1][0]];
  if (sizeOf(kept) === 0) return view;
  const at = (d: 0 | 1): number => ranges[d][0] * (attrs.strides[d] as number) + before[d];
  const [sn, sc, sh, sw] = strides;
  const between: View = {
    ...view,
    offset: at(0) * sh + at(1) * sw,
    shape: kept,
    strides: [sn, sc, sh * (attrs.strides[0] as number), sw * (attrs.strides[1] as number)],
  };
  const first = ranges[0][0] * (x.strides[2] as number) + ranges[1][0] * (x.strides[3] as number);
  const source: View = { ...x, offset: x.offset + first, shape: kept, halo: NO_HALO };
  applyMap(context, { kind: 'copy' }, source, between);
  return view;
}

/** conv2d_transpose: a convolution per phase, or the ordinary one of x among zeros with the reversed weights. */
export function lowerConvTranspose(context: LowerContext, attrs: TransposeConvAttrs): void {
  const weights = context.constant(1);
  if (!weights) {
    const { outputPads, ...rest } = attrs;
    return lowerComputedConv(
      context,
      { ...rest, activation: attrs.activation ?? null },
      { transposed: true, outputPads },
    );
  }
  if (lowerPhases(context, attrs)) return;
  const view = stuffed(context, attrs);
  const flipped = flippedWeights(weights, attrs.groups);
  // The same context with other operands.
  const other: Partial<LowerContext> = {
    input: (slot, need) => (slot === 0 ? view : context.input(slot, need)),
    inputType: (slot) =>
      slot === 0
        ? { ...context.inputType(0), shape: view.shape }
        : slot === 1
          ? flippedType(context.inputType(1), attrs.groups)
          : context.inputType(slot),
    constant: (slot) => (slot === 1 ? flipped : context.constant(slot)),
  };
  lowerConv2d(Object.assign(Object.create(context) as LowerContext, other), unitConv(attrs));
}
