import { MAX_OUTPUT_SIDE, MAX_SIDE } from './codegen/kernels/image-input.js';
import { type PixelInput, withPixelInput } from './codegen/plan/image-input.js';
import type { Plan } from './codegen/plan/plan.js';
import { byteTables, type ImageOptions, resolvePreprocessing } from './data/image/preprocess.js';
import { type QcError, usageError } from './support/errors.js';

/** An input that takes pixels instead of a tensor, and what becomes of them. */
export interface ImageInputOptions extends Pick<ImageOptions, 'mean' | 'std' | 'range' | 'layout'> {
  /** Name of the input; the only one where absent. */
  readonly name?: string;
  readonly order?: 'rgb' | 'bgr';
  /** bilinear (default): pictures are stretched to the network's size. none: they must have it. */
  readonly resize?: 'bilinear' | 'none';
  /** The largest picture, in pixels; others may be as large in area. Default: 1920 x 1080. */
  readonly largest?: readonly [width: number, height: number];
}

const FULL_HD = [1920, 1080] as const;

const largestError = (largest: readonly number[]): QcError =>
  usageError(`the largest picture must be of 1x1 to ${MAX_SIDE}x${MAX_SIDE} pixels, not ${largest.join('x')}`);

/** Decides how the pixels of an input become its tensor. Throws usage and model errors. */
function resolvePixels(plan: Plan, options: ImageInputOptions): PixelInput {
  const names = plan.inputs.map((input) => `"${input.info.name}"`).join(', ');
  const { name = plan.inputs.length === 1 ? plan.inputs[0]?.info.name : undefined, resize = 'bilinear' } = options;
  if (name === undefined) throw usageError(`an image input needs its name; the inputs are ${names}`);
  const info = plan.inputs.find((input) => input.info.name === name)?.info;
  if (!info) throw usageError(`there is no input "${name}" for images; the inputs are ${names}`);
  if (info.shape.length === 4 && info.shape[0] !== 1)
    throw usageError(`input "${name}" takes ${info.shape[0]} items at once; images go in one by one`, {
      remedy: 'Compile with a batch of 1: run takes a list of images.',
    });
  const { order, layout, mean, std, range } = options;
  const given = Object.fromEntries(
    Object.entries({ order, layout, mean, std, range }).filter(([, v]) => v !== undefined),
  );
  const how = resolvePreprocessing(info, { ...given, fit: 'stretch', interpolation: 'bilinear' });
  const { width, height } = how.size;
  if (Math.max(width, height) > MAX_OUTPUT_SIDE)
    throw usageError(
      `input "${name}" of ${width}x${height} is too large for images: at most ${MAX_OUTPUT_SIDE} a side`,
    );
  const largest = resize === 'none' ? ([width, height] as const) : (options.largest ?? FULL_HD);
  if (largest.some((side) => !Number.isInteger(side) || side < 1 || side > MAX_SIDE)) throw largestError(largest);
  return {
    name,
    width,
    height,
    channels: how.channels,
    order: how.order === 'bgr' ? 'bgr' : 'rgb',
    layout: how.layout,
    resize,
    largest,
    tables: byteTables(how),
  };
}

/** The plan with pixels at the input that the options name. */
export const addImageInput = (plan: Plan, options: ImageInputOptions): Plan =>
  withPixelInput(plan, resolvePixels(plan, options));

/** Throws a usage error unless there is one label for each element of the first output. */
export function checkLabels(plan: Plan, labels: readonly string[]): void {
  const output = plan.outputs[0]?.info;
  const size = output?.shape.reduce((n, d) => n * d, 1) ?? 0;
  if (labels.length === size) return;
  const more = size === labels.length + 1 ? ' Networks with a class for the background have it first.' : '';
  throw usageError(`${labels.length} labels for output "${output?.name}" of ${size} elements`, {
    remedy: `A list of labels has one line for each element.${more}`,
  });
}
