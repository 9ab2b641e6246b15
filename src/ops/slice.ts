import { rowMajorStrides } from '../ir/tensor.js';
import { isCodes } from '../ir/type.js';
import { stridedIndices } from './broadcast.js';
import type { ImportContext, OnnxImporter } from './import-context.js';
import { onReals, quantAttr } from './import-helpers.js';
import {
  importSlice as importPaddleSlice,
  importSplit as importPaddleSplit,
  importUnstack,
} from './import-paddle-shape.js';
import { sliceAtComputed } from './import-stated.js';
import { lowerSlice } from './lowering/movement.js';
import { gatherElements } from './move.js';
import { defineOp } from './op.js';
import { normalizeAxis, reshaped, show, tensorAt, typeOf } from './shapes.js';

/** Resolved: along axes[i], `counts[i]` elements from `starts[i]` on, `steps[i]` (may be negative) apart. */
type SliceAttrs = {
  readonly axes: readonly number[];
  readonly starts: readonly number[];
  readonly counts: readonly number[];
  readonly steps: readonly number[];
};

/** Resolves one start:end:step against an extent, as Python does. Source: ONNX Slice. */
function resolveRange(start: number, end: number, step: number, extent: number): { start: number; count: number } {
  if (step === 0) throw new Error('a step of 0');
  const absolute = (i: number): number => (i < 0 ? i + extent : i);
  const [lo, hi] = step > 0 ? [0, extent] : [-1, extent - 1];
  const limit = (i: number): number => Math.min(Math.max(absolute(i), lo), hi);
  const [first, last] = [limit(start), step < 0 && absolute(end) < 0 ? -1 : limit(end)];
  return { start: first, count: Math.max(0, Math.ceil((last - first) / step)) };
}

/** Starts, ends, axes and steps from attributes (before opset 10) or constant inputs. */
function ranges(context: ImportContext): { starts: number[]; ends: number[]; axes: number[]; steps: number[] } {
  const { attrs } = context;
  const [starts, ends] = attrs.has('starts')
    ? [attrs.ints('starts'), attrs.ints('ends')]
    : [context.numbers(1) ?? [], context.numbers(2) ?? []];
  const axes = attrs.has('axes') ? attrs.ints('axes') : context.inputCount > 3 ? context.numbers(3) : null;
  const steps = context.inputCount > 4 ? context.numbers(4) : null;
  return { starts, ends, axes: axes ?? starts.map((_, i) => i), steps: steps ?? starts.map(() => 1) };
}

const importSlice: OnnxImporter = (context) => {
  if ([1, 2, 3, 4].some((i) => context.isComputed(i))) return onReals(context, (x) => sliceAtComputed(context, x));
  const { starts, ends, axes, steps } = ranges(context);
  if ([ends, axes, steps].some((list) => list.length !== starts.length)) throw new Error('lists of different lengths');
  return onReals(context, (x) => {
    const { shape } = x.type;
    const resolved = axes.map((a) => normalizeAxis(a, shape.length));
    const parts = resolved.map((axis, i) =>
      resolveRange(starts[i] as number, ends[i] as number, steps[i] as number, shape[axis] as number),
    );
    const attrs = { axes: resolved, starts: parts.map((p) => p.start), counts: parts.map((p) => p.count), steps };
    return context.add('slice', attrs, [x]);
  });
};

/** The sizes of the parts of a Split: given, or equal ones of which the last may be smaller (opset 18). */
function partsOf(context: ImportContext, axis: number, shape: readonly number[]): number[] {
  const { attrs } = context;
  const extent = shape[axis] as number;
  const count = context.outputCount;
  const stated = (): number[] =>
    Array.from({ length: count }, (_, i) => context.statedShape(i, 1, shape.length)[axis] as number);
  const listed = (): number[] | null => (context.isComputed(1) ? stated() : context.numbers(1));
  const given = attrs.has('split') ? attrs.ints('split') : context.inputCount > 1 ? listed() : null;
  const size = Math.ceil(extent / (attrs.int('num_outputs', 0) || count));
  const parts = given ?? Array.from({ length: count }, (_, i) => Math.min(size, extent - i * size));
  if (parts.length !== count || parts.some((n) => n < 0) || parts.reduce((a, b) => a + b, 0) !== extent)
    throw new Error(`${extent} elements cannot be split into parts of ${show(parts)}`);
  return parts;
}

/** ONNX Split: one slice per output. */
const importSplit: OnnxImporter = (context) => {
  const source = context.input(0);
  const { quant } = source.type;
  const codes = quant !== undefined && isCodes(source.type);
  const x = codes ? context.add('dequantize', {}, [source]) : source;
  const axis = normalizeAxis(context.attrs.int('axis', 0), x.type.shape.length);
  let start = 0;
  return partsOf(context, axis, x.type.shape).map((count) => {
    const part = context.add('slice', { axes: [axis], starts: [start], counts: [count], steps: [1] }, [x]);
    start += count;
    return codes ? context.add('quantize', { quant: quantAttr(quant) }, [part]) : part;
  });
};

function sliceShape(attrs: SliceAttrs, shape: readonly number[]): number[] {
  const result = [...shape];
  attrs.axes.forEach((axis, i) => {
    result[axis] = attrs.counts[i] as number;
  });
  return result;
}

export const slice = defineOp<SliceAttrs>({
  name: 'slice',
  doc: 'counts[i] elements along axes[i], from starts[i] on, steps[i] apart',
  inputs: [1, 1],
  quant: 'same-params',
  lower: lowerSlice,
  infer: (attrs, inputs) => [reshaped(typeOf(inputs, 0), sliceShape(attrs, typeOf(inputs, 0).shape))],
  reference(attrs, inputs) {
    const x = tensorAt(inputs, 0);
    const strides = rowMajorStrides(x.type.shape);
    let start = 0;
    attrs.axes.forEach((axis, i) => {
      start += (attrs.starts[i] as number) * (strides[axis] as number);
      strides[axis] = (strides[axis] as number) * (attrs.steps[i] as number);
    });
    const shape = sliceShape(attrs, x.type.shape);
    return [gatherElements(x, stridedIndices(shape, strides, start), shape)];
  },
  paddle: {
    slice: importPaddleSlice,
    strided_slice: importPaddleSlice,
    split: importPaddleSplit,
    unstack: importUnstack,
    unbind: importUnstack,
  },
  onnx: { Slice: importSlice, Split: importSplit },
});
