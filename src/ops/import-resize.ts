import type { Value } from '../ir/graph.js';
import { f32 } from '../ir/tensor.js';
import type { ImportContext, OnnxImporter } from './import-context.js';
import { onReals } from './import-helpers.js';
import { resizeByComputed } from './import-resize-computed.js';
import { COORDINATES, NEAREST, type ResizeAttrs } from './resize-shared.js';
import { normalizeAxis } from './shapes.js';

function oneOf<T extends string>(context: ImportContext, name: string, list: readonly T[], fallback: T): T {
  const given = context.attrs.string(name, fallback);
  return list.find((v) => v === given) ?? context.unsupported(`${context.type} with ${name} "${given}"`);
}

/** A list per named axis as a list per dimension. */
const spread = (
  rank: number,
  axes: readonly number[],
  list: readonly number[],
  fallback: readonly number[],
): number[] => Array.from({ length: rank }, (_, d) => list[axes.indexOf(d)] ?? (fallback[d] as number));

/** The sizes along the axes as the model states them, where computed operands say nothing else; else null. */
function statedSizes(context: ImportContext, axes: readonly number[], rank: number): number[] | null {
  // Scales also say where elements stand, but not where the corners do.
  const aligned = context.attrs.string('coordinate_transformation_mode', 'half_pixel') === 'align_corners';
  const operand = context.isComputed(3) ? 3 : aligned && context.isComputed(2) ? 2 : null;
  if (context.opset < 11 || operand === null) return null;
  const shape = context.statedShape(0, operand, rank);
  return axes.map((d) => shape[d] as number);
}

/** Sizes and scales per dimension. Source: ONNX Resize, sizes, scales and keep_aspect_ratio_policy. */
function extents(context: ImportContext, shape: readonly number[], axes: readonly number[]) {
  const first = context.opset < 11 ? 1 : 2;
  const nonEmpty = (list: number[] | null): number[] | null => (list && list.length > 0 ? list : null);
  const stated = statedSizes(context, axes, shape.length);
  const scalesGiven = (): number[] | null =>
    context.attrs.has('scales') ? context.attrs.floats('scales') : nonEmpty(context.numbers(first));
  const given = stated ? null : scalesGiven();
  const wanted = context.opset < 11 ? null : (stated ?? nonEmpty(context.numbers(3)));
  const check = (list: readonly number[]): void => {
    if (list.length !== axes.length) throw new Error(`${list.length} sizes or scales for ${axes.length} axes`);
    if (list.some((v) => !(v > 0))) throw new Error(`sizes or scales [${list}]`);
  };
  if (given) {
    check(given);
    const scales = spread(
      shape.length,
      axes,
      given,
      shape.map(() => 1),
    );
    return { scales, sizes: shape.map((s, d) => Math.floor(s * (scales[d] as number))) };
  }
  if (!wanted) throw new Error('neither sizes nor scales');
  check(wanted);
  const policy = oneOf(context, 'keep_aspect_ratio_policy', ['stretch', 'not_larger', 'not_smaller'], 'stretch');
  const ratios = wanted.map((s, i) => s / (shape[axes[i] as number] as number));
  const common = policy === 'stretch' ? null : (policy === 'not_larger' ? Math.min : Math.max)(...ratios);
  const final = common === null ? wanted : axes.map((d) => Math.floor(common * (shape[d] as number) + 0.5));
  const sizes = spread(shape.length, axes, final, shape);
  return {
    sizes,
    scales: sizes.map((s, d) => (common !== null && axes.includes(d) ? common : s / (shape[d] as number))),
  };
}

/** Upsample and the Resize of opset 10: positions are x / scale, the nearest is the one below. */
function oldModes(context: ImportContext): Pick<ResizeAttrs, 'mode' | 'coordinates' | 'nearest'> {
  const mode = oneOf(context, 'mode', ['nearest', 'linear', 'bilinear'], 'nearest');
  return { mode: mode === 'nearest' ? mode : 'linear', coordinates: 'asymmetric', nearest: 'floor' };
}

function newModes(context: ImportContext): Pick<ResizeAttrs, 'mode' | 'coordinates' | 'nearest'> {
  if (context.attrs.int('antialias', 0) !== 0) context.unsupported('Resize with antialias');
  return {
    mode: oneOf(context, 'mode', ['nearest', 'linear', 'cubic'], 'nearest'),
    coordinates: oneOf(context, 'coordinate_transformation_mode', COORDINATES, 'half_pixel'),
    nearest: oneOf(context, 'nearest_mode', NEAREST, 'round_prefer_floor'),
  };
}

/** The resized dimensions. */
const axesOf = (context: ImportContext, rank: number): number[] =>
  context.attrs
    .ints(
      'axes',
      Array.from({ length: rank }, (_, d) => d),
    )
    .map((a) => normalizeAxis(a, rank));

function attributes(context: ImportContext, shape: readonly number[]): ResizeAttrs {
  const rank = shape.length;
  const all = shape.map((_, d) => d);
  const axes = axesOf(context, rank);
  const modes = context.opset < 11 ? oldModes(context) : newModes(context);
  const crops = modes.coordinates === 'tf_crop_and_resize';
  const roi = crops ? (context.numbers(1) ?? []) : [];
  if (crops && roi.length !== 2 * axes.length) throw new Error(`a region of ${roi.length} numbers`);
  return {
    ...modes,
    cubic: context.attrs.float('cubic_coeff_a', -0.75),
    excludeOutside: context.attrs.int('exclude_outside', 0) !== 0,
    ...extents(context, shape, axes),
    starts: spread(
      rank,
      axes,
      roi.slice(0, axes.length),
      all.map(() => 0),
    ),
    ends: spread(
      rank,
      axes,
      roi.slice(axes.length),
      all.map(() => 1),
    ),
  };
}

/** The slots of scales and regions that are computed and say more than the size of the result. */
function computedSlots(context: ImportContext): { scales: number | null; region: number | null } {
  const first = context.opset < 11 ? 1 : 2;
  const mode = context.opset < 11 ? '' : context.attrs.string('coordinate_transformation_mode', 'half_pixel');
  const crops = mode === 'tf_crop_and_resize';
  const scales = !crops && mode !== 'align_corners' && context.isComputed(first) ? first : null;
  return { scales, region: crops && context.isComputed(1) ? 1 : null };
}

function importComputed(context: ImportContext, x: Value, operand: number): Value {
  const sizes = context.statedShape(0, operand, x.type.shape.length);
  const { scales, region } = computedSlots(context);
  const attrs = {
    ...(context.opset < 11 ? oldModes(context) : newModes(context)),
    cubic: context.attrs.float('cubic_coeff_a', -0.75),
    excludeOutside: context.attrs.int('exclude_outside', 0) !== 0,
    fill: context.attrs.float('extrapolation_value', 0),
    sizes,
  };
  const valueAt = (i: number | null): Value | null => (i === null ? null : context.input(i));
  const values = { scales: valueAt(scales), region: valueAt(region) };
  return resizeByComputed(context, x, attrs, axesOf(context, x.type.shape.length), values);
}

/** ONNX Resize and Upsample: nearest moves elements, everything else is a weighted sum. */
export const importResize: OnnxImporter = (context) =>
  onReals(context, (x) => {
    const { scales, region } = computedSlots(context);
    const operand = scales ?? region;
    if (operand !== null) return importComputed(context, x, operand);
    const attrs = attributes(context, x.type.shape);
    const crops = attrs.coordinates === 'tf_crop_and_resize';
    if (attrs.mode === 'nearest' && !crops) return context.add('nearest_interp', { ...attrs }, [x]);
    const fill = crops ? context.attrs.float('extrapolation_value', 0) : 0;
    const shifted = (v: Value, by: number): Value =>
      by === 0 ? v : context.add('elementwise_add', { activation: null }, [v, context.literal('fill', f32([], [by]))]);
    return shifted(context.add('linear_interp', { ...attrs }, [shifted(x, -fill)]), fill);
  });
