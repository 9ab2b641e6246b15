import { holdsCodes, STORAGE_BYTES, type TensorStorage } from '../../codegen/kernel.js';
import type { MapOp } from '../../codegen/kernels/map.js';
import { mapKernel } from '../../codegen/kernels/map.js';
import {
  type Arg,
  asWords,
  type LowerContext,
  laneStorage,
  NO_HALO,
  partOf,
  refOf,
  samePlace,
  type View,
} from '../../codegen/lowering.js';
import { rowMajorStrides } from '../../ir/tensor.js';
import { type Quant, quantaOf, sameQuant, sameShape, scaleAt, sizeOf } from '../../ir/type.js';
import { codeBounds } from '../../quant/bounds.js';

/** Dimensions from the outermost to the innermost in memory. */
export const memoryOrder = (view: View): number[] =>
  view.shape.map((_, i) => i).sort((a, b) => (view.strides[b] as number) - (view.strides[a] as number) || a - b);

/** Strides of an operand along the dimensions of the output; 0 where it is broadcast. */
export function aligned(view: View, rank: number): number[] {
  const lead = rank - view.shape.length;
  return Array.from({ length: rank }, (_, d) => {
    const i = d - lead;
    return i < 0 || view.shape[i] === 1 ? 0 : (view.strides[i] as number);
  });
}

const pick = (values: readonly number[], order: readonly number[]): number[] => order.map((i) => values[i] as number);

/** Applies a map kernel from one view to another of the same shape, in the order of the target's memory. */
export function applyMap(
  context: LowerContext,
  op: MapOp,
  source: View,
  target: View,
  args: readonly Arg[] = [],
): void {
  if (op.kind === 'copy' && source.storage === 'i64') return applyMap(context, op, asWords(source), asWords(target));
  const order = memoryOrder(target);
  const params = {
    dims: pick(target.shape, order),
    from: laneStorage(source),
    to: laneStorage(target),
    source: pick(source.strides, order),
    target: pick(target.strides, order),
    op,
  };
  context.call(mapKernel, params, [refOf(source), refOf(target), ...args]);
}

/** A map in place. */
export const applyOp = (context: LowerContext, op: MapOp, view: View): void => applyMap(context, op, view, view);

/** Runs `emit` on the node's output as row-major memory; copies it where the output's layout is another. */
export function withContiguousOutput(context: LowerContext, emit: (out: View) => void): void {
  const out = context.output();
  const strides = rowMajorStrides(out.shape);
  // Steps along dimensions of extent 1 are of no account, until somebody joins them with others.
  if (out.shape.every((d, i) => d === 1 || out.strides[i] === strides[i])) return emit({ ...out, strides });
  const scratch = rowMajorScratch(context, out.storage, out.shape);
  emit(scratch);
  applyMap(context, { kind: 'copy' }, scratch, out);
}

/** Scratch memory as a row-major view. */
export function rowMajorScratch(context: LowerContext, storage: TensorStorage, shape: readonly number[]): View {
  const { buffer } = context.scratch(sizeOf(shape) * STORAGE_BYTES[storage]);
  return { buffer, offset: 0, storage, shape, strides: rowMajorStrides(shape), halo: NO_HALO };
}

/** Scratch memory for a shape, with the dimensions in the order in which another view has them. */
export function scratchLike(
  context: LowerContext,
  like: View,
  shape: readonly number[],
  storage: TensorStorage = like.storage,
): View {
  const { buffer } = context.scratch(sizeOf(shape) * STORAGE_BYTES[storage]);
  const strides = shape.map(() => 0);
  let step = 1;
  for (const d of memoryOrder(like).reverse()) {
    strides[d] = step;
    step *= shape[d] as number;
  }
  return { buffer, offset: 0, storage, shape, strides, halo: NO_HALO };
}

/** reshape2: the same memory under another shape; in any layout where only dimensions of size 1 come and go. */
export function lowerReshape(context: LowerContext): void {
  const { shape } = context.outputType();
  const from = context.input(0);
  const rowMajor = rowMajorStrides(shape);
  const real = from.strides.filter((_, d) => from.shape[d] !== 1);
  if (sameShape(shape.filter(isLong), from.shape.filter(isLong))) {
    const strides = shape.map((n, d) => (n === 1 ? (rowMajor[d] as number) : (real.shift() as number)));
    return context.alias({ ...from, shape, strides, halo: NO_HALO });
  }
  context.alias({ ...context.input(0, { contiguous: true }), shape, strides: rowMajor, halo: NO_HALO });
}

const isLong = (n: number): boolean => n !== 1;

/** assign and the like: a second name. */
export const lowerIdentity = (context: LowerContext): void => context.alias(context.input(0));

/** transpose2: a second name where the memory already lies in the wanted order, else a copy. */
export function lowerTranspose(context: LowerContext, attrs: { readonly perm: readonly number[] }): void {
  const x = context.input(0);
  const moved: View = { ...x, shape: pick(x.shape, attrs.perm), strides: pick(x.strides, attrs.perm), halo: NO_HALO };
  const rowMajor = rowMajorStrides(moved.shape);
  if (moved.shape.every((d, i) => d === 1 || moved.strides[i] === rowMajor[i])) return context.alias(moved);
  applyMap(context, { kind: 'copy' }, moved, context.output());
}

/**
 * concat: operands that are not in their place already (the planner lets their producers write there) are copied to it,
 * requantized where they are on another grid.
 */
export function lowerConcat(context: LowerContext, attrs: { readonly axis: number }): void {
  const out = context.output();
  const axis = attrs.axis < 0 ? attrs.axis + out.shape.length : attrs.axis;
  let start = 0;
  for (let slot = 0; slot < context.node.inputs.length; slot++) {
    const x = context.input(slot);
    const part = partOf(out, { axis, start }, x.shape);
    const [from, to] = [context.inputType(slot).quant, context.outputType().quant];
    start += x.shape[axis] as number;
    if (samePlace(x, part)) continue;
    if (holdsCodes(x.storage) && !sameQuant(from, to)) requantizeInto(context, x, part, from as Quant, to as Quant);
    else applyMap(context, { kind: 'copy' }, x, part);
  }
}

function requantizeInto(context: LowerContext, source: View, target: View, from: Quant, to: Quant): void {
  const m = Math.fround(scaleAt(from, 0) / scaleAt(to, 0));
  applyMap(context, { kind: 'requantize', rounding: to.rounding }, source, target, [m, ...codeBounds(to)]);
}

/** quantize: reals to centred codes. */
export function lowerQuantize(context: LowerContext): void {
  const q = context.outputType().quant as Quant;
  const { how, factor } = quantaOf(q);
  const kind = how === 'div' ? 'quantize' : 'requantize';
  applyMap(context, { kind, rounding: q.rounding }, context.input(0), context.output(), [factor, ...codeBounds(q)]);
}

/** dequantize: centred codes to reals. */
export function lowerDequantize(context: LowerContext): void {
  const q = context.inputType(0).quant as Quant;
  applyMap(context, { kind: 'dequantize' }, context.input(0), context.output(), [scaleAt(q, 0)]);
}

/** requantize: codes of one grid to codes of another. */
export function lowerRequantize(context: LowerContext): void {
  const [from, to] = [context.inputType(0).quant as Quant, context.outputType().quant as Quant];
  requantizeInto(context, context.input(0), context.output(), from, to);
}

/** expand: broadcast dimensions are read with stride 0. */
export function lowerExpand(context: LowerContext): void {
  const x = context.input(0);
  const out = context.output();
  const lead = out.shape.length - x.shape.length;
  const strides = out.shape.map((_, d) => (d < lead || x.shape[d - lead] === 1 ? 0 : (x.strides[d - lead] as number)));
  applyMap(context, { kind: 'copy' }, { ...x, shape: out.shape, strides }, out);
}

/** What a slice takes, resolved: along axes[i], counts[i] elements from starts[i] on, steps[i] apart. */
interface SliceRanges {
  readonly axes: readonly number[];
  readonly starts: readonly number[];
  readonly counts: readonly number[];
  readonly steps: readonly number[];
}

/** slice: a second name of a part of the memory where neighbours stay neighbours, else a copy. */
export function lowerSlice(context: LowerContext, attrs: SliceRanges): void {
  const x = context.input(0);
  const strides = [...x.strides];
  let { offset } = x;
  attrs.axes.forEach((axis, i) => {
    const stride = x.strides[axis] as number;
    offset += (attrs.starts[i] as number) * stride;
    strides[axis] = stride * (attrs.steps[i] as number);
  });
  const halo = attrs.axes.every((axis) => axis === 0) ? x.halo : NO_HALO;
  const part: View = { ...x, offset, strides, shape: context.outputType().shape, halo };
  const inner = x.shape.findIndex((n, d) => n > 1 && x.strides[d] === 1);
  if (attrs.steps.every((step) => step > 0) && !attrs.axes.includes(inner)) return context.alias(part);
  applyMap(context, { kind: 'copy' }, part, context.output());
}
