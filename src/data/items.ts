import type { Tensor } from '../ir/tensor.js';
import { sizeOf } from '../ir/type.js';
import { modelError } from '../support/errors.js';
import type { SampleInput } from './sample.js';

/** How a tensor of a file falls into samples. */
export interface Items {
  readonly count: number;
  /** The shape of one sample. */
  readonly shape: readonly number[];
}

const withoutOnes = (shape: readonly number[]): string =>
  shape.filter((d, i) => d !== 1 || shape.slice(0, i).some((e) => e !== 1)).join();

/**
 * How many samples of an input a tensor holds: rows where all but the first dimension are the input's, one where it
 * is the input without its first dimension, or equal up to leading dimensions of 1. Without an input: one sample.
 * Throws a model error that names the file.
 */
export function itemsOf(file: string, { type }: Tensor, input: SampleInput | undefined): Items {
  const { dtype, shape } = type;
  if (!input) return { count: 1, shape };
  const rest = input.shape.slice(1);
  if (dtype === input.dtype && shape[0] !== 0) {
    if (input.shape.length > 0 && shape.length === input.shape.length && shape.slice(1).join() === rest.join())
      return { count: shape[0] as number, shape: [1, ...rest] };
    if (withoutOnes(shape) === withoutOnes(input.shape.length > 0 ? [1, ...rest] : []))
      return { count: 1, shape: input.shape.length > 0 ? [1, ...rest] : [] };
  }
  throw modelError(
    `holds ${dtype} [${shape.join(', ')}], but input "${input.name}" takes ${input.dtype} [${input.shape.join(', ')}]`,
    {
      file,
      remedy: 'Convert the data to that type and shape; the first dimension may be any number of samples.',
    },
  );
}

/** Sample `i` of a tensor, as a copy. */
export function itemAt({ type, data }: Tensor, { shape }: Items, i: number): Tensor {
  const size = sizeOf(shape);
  return { type: { dtype: type.dtype, shape }, data: data.slice(i * size, (i + 1) * size) };
}
