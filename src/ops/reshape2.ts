import type { Value } from '../ir/graph.js';
import { sizeOf } from '../ir/type.js';
import type { ImportContext, OnnxImporter } from './import-context.js';
import { axesOf, onReals } from './import-helpers.js';
import * as shapes from './import-paddle-shape.js';
import { lowerReshape } from './lowering/movement.js';
import { reshapeTensor } from './move.js';
import { defineOp } from './op.js';
import { normalizeAxes, reshaped, show, tensorAt, typeOf } from './shapes.js';

/** The new shape, fully resolved: no 0 that copies, no -1. */
type ReshapeAttrs = { readonly shape: readonly number[] };

/** Resolves 0 (copy, unless `allowZero`) and one -1 (what is left) against the input shape. Source: ONNX Reshape. */
function resolveShape(wanted: readonly number[], input: readonly number[], allowZero = false): number[] {
  const shape = wanted.map((d, i) => (d === 0 && !allowZero ? (input[i] ?? Number.NaN) : d));
  const holes = shape.filter((d) => d === -1).length;
  if (holes > 1 || shape.some((d) => !Number.isInteger(d) || d < -1))
    throw new Error(`shape ${show(wanted)} is not valid`);
  const known = sizeOf(shape.filter((d) => d !== -1));
  const result = shape.map((d) => (d === -1 ? sizeOf(input) / known : d));
  if (result.some((d) => !Number.isInteger(d)) || sizeOf(result) !== sizeOf(input))
    throw new Error(`${show(input)} cannot take the shape ${show(wanted)}`);
  return result;
}

const reshape = (context: ImportContext, shapeOf: (x: readonly number[]) => number[]): Value =>
  onReals(context, (x) => context.add('reshape2', { shape: shapeOf(x.type.shape) }, [x]));

const importReshape: OnnxImporter = (context) => {
  if (context.isComputed(1)) return reshape(context, () => [...context.statedShape(0, 1)]);
  const wanted = context.attrs.has('shape') ? context.attrs.ints('shape') : context.numbers(1);
  if (!wanted) throw new Error('the shape is missing');
  return reshape(context, (x) => resolveShape(wanted, x, context.attrs.int('allowzero', 0) !== 0));
};

const importFlatten: OnnxImporter = (context) =>
  reshape(context, (x) => {
    const axis = context.attrs.int('axis', 1);
    const at = axis < 0 ? axis + x.length : axis;
    if (at < 0 || at > x.length) throw new Error(`axis ${axis} is outside of rank ${x.length}`);
    return [sizeOf(x.slice(0, at)), sizeOf(x.slice(at))];
  });

const importSqueeze: OnnxImporter = (context) => {
  if (context.isComputed(1)) return reshape(context, () => [...context.statedShape(0, 1)]);
  const axes = axesOf(context);
  return reshape(context, (x) => {
    if (axes === null) return x.filter((d) => d !== 1);
    const drop = normalizeAxes(axes, x.length);
    if (drop.some((a) => x[a] !== 1)) throw new Error(`axes ${show(axes)} of ${show(x)} are not all 1`);
    return x.filter((_, i) => !drop.includes(i));
  });
};

const importUnsqueeze: OnnxImporter = (context) => {
  if (context.isComputed(1)) return reshape(context, () => [...context.statedShape(0, 1)]);
  const axes = axesOf(context);
  if (!axes) throw new Error('the axes are missing');
  return reshape(context, (x) => {
    const rank = x.length + axes.length;
    const ones = normalizeAxes(axes, rank);
    const rest = [...x];
    return Array.from({ length: rank }, (_, i) => (ones.includes(i) ? 1 : (rest.shift() as number)));
  });
};

export const reshape2 = defineOp<ReshapeAttrs>({
  name: 'reshape2',
  doc: 'the same elements under a new shape; also Flatten, Squeeze and Unsqueeze',
  inputs: [1, 1],
  quant: 'same-params',
  lower: lowerReshape,
  infer(attrs, inputs) {
    const type = typeOf(inputs, 0);
    if (sizeOf(attrs.shape) !== sizeOf(type.shape))
      throw new Error(`${show(type.shape)} cannot take the shape ${show(attrs.shape)}`);
    return [reshaped(type, attrs.shape)];
  },
  reference: (attrs, inputs) => [reshapeTensor(tensorAt(inputs, 0), attrs.shape)],
  paddle: {
    reshape: shapes.importReshape,
    reshape2: shapes.importReshape,
    squeeze: shapes.importSqueeze,
    squeeze2: shapes.importSqueeze,
    unsqueeze: shapes.importUnsqueeze,
    unsqueeze2: shapes.importUnsqueeze,
    flatten: shapes.importFlatten,
    flatten2: shapes.importFlatten,
    flatten_contiguous_range: shapes.importFlattenRange,
  },
  onnx: { Reshape: importReshape, Flatten: importFlatten, Squeeze: importSqueeze, Unsqueeze: importUnsqueeze },
});
