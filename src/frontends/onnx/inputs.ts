import type { Tensor } from '../../ir/tensor.js';
import type { TensorType } from '../../ir/type.js';
import { modelError, usageError } from '../../support/errors.js';
import { checkInputValues, own, shapeOfValue, tensorOfValue, type ValueOptions } from '../input-values.js';
import { quoted } from '../names.js';
import { isPossibleShape } from '../shapes.js';
import { elementName, elementType } from './elements.js';
import { type DimensionProto, toNumber, type ValueInfoProto } from './proto.js';

/** Sizes that the model leaves open, and values of inputs that are known. */
export interface ShapeOptions extends ValueOptions {
  /** Size of open batch dimensions; 1 if absent. */
  readonly batch?: number | undefined;
  /** Whole shapes of inputs, by name. */
  readonly inputShapes?: Readonly<Record<string, readonly number[]>> | undefined;
}

const isSize = (d: number): boolean => Number.isSafeInteger(d) && d > 0;

/**
 * The size of dimension `i`, or undefined if the model leaves it open: symbolic, absent or negative. A batch of 0 is an
 * open one too, as some exporters write it; elsewhere, and in a list, 0 is an empty dimension.
 */
function fixedSize(dims: readonly DimensionProto[], i: number): number | undefined {
  const value = dims[i]?.dimValue ?? null;
  const size = value === null ? -1 : toNumber(value);
  return isSize(size) || (size === 0 && (i > 0 || dims.length === 1)) ? size : undefined;
}

/** Gives every input of a graph its type. */
export class InputTypes {
  private readonly options: ShapeOptions;
  /** Symbols that stand in dimension 0 of some input: they mean the batch wherever they stand. */
  private readonly batchSymbols = new Set<string>();

  /** Throws a usage error for options that fit no input. */
  constructor(inputs: readonly ValueInfoProto[], options: ShapeOptions) {
    this.options = options;
    const { batch, inputShapes = {} } = options;
    if (batch !== undefined && !isSize(batch)) throw usageError(`a batch of ${batch} is not a positive integer`);
    const names = inputs.map(({ name }) => name);
    for (const [name, shape] of Object.entries(inputShapes)) {
      if (!names.includes(name))
        throw usageError(`the model has no input ${quoted(name)}`, { remedy: `Its inputs are ${names.join(', ')}.` });
      if (!shape.every((d) => d === 0 || isSize(d)))
        throw usageError(`[${shape}] is not a shape for input ${quoted(name)}`);
    }
    checkInputValues(names, options);
    this.checkBatch(inputs);
    for (const { type } of inputs) {
      const symbol = type?.tensorType?.shape?.dim[0]?.dimParam;
      if (symbol) this.batchSymbols.add(symbol);
    }
  }

  /** A batch that no input can take is a mistake. */
  private checkBatch(inputs: readonly ValueInfoProto[]): void {
    const { batch, inputShapes } = this.options;
    if (batch === undefined) return;
    const sizes = inputs.map(({ name, type }) => {
      const dims = type?.tensorType?.shape?.dim;
      return own(inputShapes, name)?.[0] ?? (dims && fixedSize(dims, 0));
    });
    if (sizes.length > 0 && sizes.every((size) => size !== undefined && size !== batch))
      throw usageError(`a batch of ${batch} fits no input: the model fixes its batch at ${sizes[0]}`);
  }

  /** The constant that takes the place of an input whose value was given; undefined for the others. */
  valueOf(info: ValueInfoProto): Tensor | undefined {
    const value = own(this.options.inputValues, info.name);
    if (value === undefined) return undefined;
    const shape = shapeOfValue(value, info.type?.tensorType?.shape?.dim.length);
    return tensorOfValue(info.name, this.typeOf(info, undefined, shape), value);
  }

  /** The type of an input with all sizes bound; `onNote` is told of a conversion to float32. */
  typeOf(
    info: ValueInfoProto,
    onNote?: (message: string) => void,
    given = own(this.options.inputShapes, info.name),
  ): TensorType {
    const { name } = info;
    const tensorType = info.type?.tensorType;
    if (!tensorType) throw modelError(`input ${quoted(name)} is not a tensor`);
    const element = elementType(tensorType.elemType);
    if (!element)
      throw modelError(`input ${quoted(name)} has elements of type ${elementName(tensorType.elemType)}`, {
        remedy: 'Inputs may be float32, int8, uint8, int32, int64 or bool.',
      });
    if (element.converted)
      onNote?.(`input ${quoted(name)} takes float32 instead of ${elementName(tensorType.elemType)}`);
    const shape = this.bind(name, tensorType.shape?.dim, given);
    if (!isPossibleShape(shape)) throw modelError(`input ${quoted(name)} has the impossible shape [${shape}]`);
    return { dtype: element.dtype, shape };
  }

  /** The type that a value_info entry states, if it leaves nothing open but the batch. */
  statedType(info: ValueInfoProto | undefined): TensorType | undefined {
    const tensorType = info?.type?.tensorType;
    const element = tensorType && elementType(tensorType.elemType);
    const shape = tensorType?.shape?.dim.map((dim, i, all) => fixedSize(all, i) ?? this.batchSize(dim, i));
    if (!element || !shape?.every((d) => d !== undefined)) return undefined;
    return { dtype: element.dtype, shape: shape as number[] };
  }

  /** The shape that a value_info entry states, if every size is a number or the symbol of the batch. */
  statedShape(info: ValueInfoProto | undefined): readonly number[] | undefined {
    const shape = info?.type?.tensorType?.shape?.dim.map(({ dimParam }, i, all) => {
      const isBatch = dimParam !== null && this.batchSymbols.has(dimParam);
      return fixedSize(all, i) ?? (isBatch ? (this.options.batch ?? 1) : undefined);
    });
    return shape?.every((d) => d !== undefined) ? (shape as number[]) : undefined;
  }

  /** The shape of an input from the option or from the model. */
  private bind(
    name: string,
    dims: readonly DimensionProto[] | undefined,
    given: readonly number[] | undefined,
  ): readonly number[] {
    if (given) return this.checkGiven(name, dims, given);
    const shape = dims?.map((dim, i, all) => fixedSize(all, i) ?? this.batchSize(dim, i));
    if (!shape) throw openError(name, 'shape', ['1', '3', '224', '224']);
    if (shape.every((d) => d !== undefined)) return shape as number[];
    const open = shape.flatMap((d, i) => (d === undefined ? [dims?.[i]?.dimParam || `dimension ${i}`] : []));
    throw openError(
      name,
      open.join(', '),
      shape.map((d) => String(d ?? (shape.length === 4 ? 224 : 1))),
    );
  }

  private batchSize(dim: DimensionProto, i: number): number | undefined {
    const isBatch = i === 0 || (dim.dimParam !== null && this.batchSymbols.has(dim.dimParam));
    return isBatch ? (this.options.batch ?? 1) : undefined;
  }

  private checkGiven(name: string, dims: readonly DimensionProto[] | undefined, given: readonly number[]) {
    const fits = given.length === dims?.length && dims.every((_, i) => (fixedSize(dims, i) ?? given[i]) === given[i]);
    if (dims && !fits) {
      const stated = dims.map((d, i) => fixedSize(dims, i) ?? (d.dimParam || '?'));
      throw usageError(`the shape [${given}] does not fit input ${quoted(name)}, which is [${stated}] in the model`);
    }
    return given;
  }
}

function openError(name: string, what: string, example: readonly string[]): Error {
  return modelError(`input ${quoted(name)} has an open size: ${what}`, {
    remedy: `Give its shape, for example --input-shape ${name}=${example.join('x')}.`,
  });
}
