import type { Sample, SampleInput } from '../../data/sample.js';
import { allocate, type Tensor } from '../../ir/tensor.js';
import type { TypedArray } from '../../runtime/net.js';
import { modelError } from '../../support/errors.js';
import { type ColumnInput, countOf, type Feed } from './column.js';

/** The inputs of a network, by who fills them. */
export interface InputRoles {
  /** Filled from the samples. */
  readonly data: readonly ColumnInput[];
  /** Filled with the labels: the second input of a model with an accuracy layer. */
  readonly label: ColumnInput | undefined;
}

/** Whether an input takes labels: int64, one per sample, beside another input. */
const takesLabels = ({ dtype, shape }: ColumnInput, first: ColumnInput): boolean =>
  dtype === 'i64' && (shape.length === 1 || (shape.length === 2 && shape[1] === 1)) && shape[0] === first.shape[0];

/** Which inputs take samples and which labels. */
export function rolesOf(inputs: readonly ColumnInput[]): InputRoles {
  const [first, ...others] = inputs;
  const label = first && others.find((input) => takesLabels(input, first));
  return { data: inputs.filter((input) => input !== label), label };
}

/** The inputs that samples have to fill, as sources of samples take them. */
export const sampleInputs = (inputs: readonly ColumnInput[]): SampleInput[] => [...rolesOf(inputs).data];

/** How many samples one run takes: the elements of the first input by those of the sample. */
export function unitsPerRun({ data }: InputRoles, sample: Sample): number {
  const [input] = data;
  const [given] = sample.tensors;
  if (!input || !given || input.image) return 1;
  const units = countOf(input.shape) / given.tensor.data.length;
  if (Number.isInteger(units) && units >= 1) return units;
  throw modelError(`holds [${given.tensor.type.shape}], but input "${input.name}" takes [${input.shape}]`, {
    file: sample.name,
  });
}

/** The tensor of a sample for an input: by name, else by order. */
function tensorFor(sample: Sample, input: ColumnInput, at: number): Tensor {
  const given = sample.tensors.find((t) => t.name === input.name) ?? sample.tensors.filter((t) => t.name === null)[at];
  if (!given) throw modelError(`has no data for input "${input.name}"`, { file: sample.name });
  if (given.tensor.type.dtype !== input.dtype)
    throw modelError(`holds ${given.tensor.type.dtype}, but input "${input.name}" takes ${input.dtype}`, {
      file: sample.name,
    });
  return given.tensor;
}

/** A tensor as a column takes it: its elements, or a picture. */
function feedOf({ image }: ColumnInput, { type, data }: Tensor): Feed {
  if (!image) return data as TypedArray;
  const [height, width] = type.shape as [number, number];
  return { data: data as Uint8Array, width, height };
}

/**
 * The inputs of one run from as many samples as it takes; where there are fewer, the last one is repeated. Throws a
 * model error that names the sample.
 */
export function feedsOf({ data, label }: InputRoles, samples: readonly Sample[], units: number): Record<string, Feed> {
  const at = (unit: number): Sample => samples[Math.min(unit, samples.length - 1)] as Sample;
  const feeds = data.map((input, i): [string, Feed] => {
    if (units === 1) return [input.name, feedOf(input, tensorFor(at(0), input, i))];
    const whole = allocate(input.dtype, countOf(input.shape));
    const size = whole.length / units;
    for (let unit = 0; unit < units; unit++) {
      const part = tensorFor(at(unit), input, i).data;
      if (part.length !== size)
        throw modelError(`holds ${part.length} elements for input "${input.name}", others hold ${size}`, {
          file: at(unit).name,
        });
      (whole as Float32Array).set(part as Float32Array, unit * size);
    }
    return [input.name, whole as TypedArray];
  });
  if (label) {
    const values = Array.from({ length: countOf(label.shape) }, (_, unit) => BigInt(at(unit).label ?? 0));
    feeds.push([label.name, BigInt64Array.from(values)]);
  }
  return Object.fromEntries(feeds);
}
