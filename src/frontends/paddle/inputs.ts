import type { Tensor } from '../../ir/tensor.js';
import type { TensorType } from '../../ir/type.js';
import { modelError, usageError } from '../../support/errors.js';
import { checkInputValues, own, shapeOfValue, tensorOfValue, type ValueOptions } from '../input-values.js';
import { quoted } from '../names.js';
import { isPossibleShape } from '../shapes.js';
import { elementName, elementType } from './elements.js';
import type { VarDesc } from './proto.js';

/** Sizes that the program leaves open, shapes in place of those that it states, and values of inputs that are known. */
export interface ShapeOptions extends ValueOptions {
  readonly batch?: number | undefined;
  readonly inputShapes?: Readonly<Record<string, readonly number[]>> | undefined;
  /** Told of what is not as the program says. */
  readonly onNote?: ((message: string) => void) | undefined;
}

/** Throws a usage error for options that fit no input. */
export function checkShapeOptions(inputs: readonly VarDesc[], options: ShapeOptions): void {
  const { batch, inputShapes = {} } = options;
  const names = inputs.map(({ name }) => name);
  checkInputValues(names, options);
  const unknown = Object.keys(inputShapes).find((name) => !names.includes(name));
  if (unknown !== undefined)
    throw usageError(`the model has no input ${quoted(unknown)}`, { remedy: `Its inputs are ${names.join(', ')}.` });
  if (batch === undefined) return;
  const sizes = inputs.map(({ name, tensor }) => own(inputShapes, name)?.[0] ?? tensor?.dims[0]);
  if (sizes.length > 0 && sizes.every((size) => size !== undefined && size >= 0 && size !== batch))
    throw usageError(`a batch of ${batch} fits no input: the model fixes its batch at ${sizes[0]}`);
}

/**
 * The type of an input with all sizes bound. Paddle runs programs on other sizes than they state, and so does a given
 * shape; without one, an open first size is the batch.
 */
export function inputType(
  { name, tensor }: VarDesc,
  options: ShapeOptions,
  given = own(options.inputShapes, name),
): TensorType {
  if (!tensor) throw modelError(`input ${quoted(name)} is not a tensor`);
  const element = elementType(tensor.dataType);
  if (!element)
    throw modelError(`input ${quoted(name)} has elements of ${elementName(tensor.dataType)}`, {
      remedy: 'Inputs may be float32, int8, uint8, int32, int64 or bool.',
    });
  const { dims } = tensor;
  if (given && given.length !== dims.length)
    throw usageError(`the shape [${given}] does not fit input ${quoted(name)}, which is [${dims}] in the model`);
  if (given && dims.some((d, i) => d >= 0 && d !== given[i]))
    options.onNote?.(`input ${quoted(name)} is [${given}] as asked for; the program states [${dims}]`);
  const shape = given ?? dims.map((d, i) => (d < 0 && i === 0 ? (options.batch ?? 1) : d));
  if (shape.some((d) => d < 0)) {
    const example = shape.map((d) => (d < 0 ? 224 : d)).join('x');
    throw modelError(`input ${quoted(name)} has an open size: [${dims}]`, {
      remedy: `Give its shape, for example --input-shape ${name}=${example}.`,
    });
  }
  if (!isPossibleShape(shape) || shape.includes(0))
    throw modelError(`input ${quoted(name)} has the impossible shape [${shape}]`);
  return { dtype: element.dtype, shape };
}

/** The constant that takes the place of an input whose value was given; undefined for the others. */
export function inputValue(input: VarDesc, options: ShapeOptions): Tensor | undefined {
  const value = own(options.inputValues, input.name);
  if (value === undefined) return undefined;
  const shape = shapeOfValue(value, input.tensor?.dims.length);
  return tensorOfValue(input.name, inputType(input, options, shape), value);
}
