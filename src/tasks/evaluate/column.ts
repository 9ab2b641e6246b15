import type { Tensor, TensorData } from '../../ir/tensor.js';
import type { TensorInfo } from '../../runtime/abi.js';
import type { TensorDescription, TypedArray } from '../../runtime/net.js';

/** An input of a column; some modules take pictures. */
export type ColumnInput = TensorDescription & Pick<TensorInfo, 'image'>;

/** A picture for a module that takes them: RGBA bytes. */
export interface FedPicture {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** What an input of a run is given. */
export type Feed = TypedArray | FedPicture;

/** One way to compute the network: a compiled module, or another engine. */
export interface Column {
  readonly name: string;
  readonly inputs: readonly ColumnInput[];
  readonly outputs: readonly TensorDescription[];
  /** Memory of one instance in bytes; undefined where the engine does not tell. */
  readonly memoryBytes: number | undefined;
  /** Computes one run, whose inputs have exactly the elements of the descriptions. */
  run(feeds: Readonly<Record<string, Feed>>): Promise<Record<string, TypedArray>> | Record<string, TypedArray>;
}

/** An output of one sample. */
export interface OutputTensor extends Tensor {
  readonly name: string;
}

/** Number of elements of a shape. */
export const countOf = (shape: readonly number[]): number => shape.reduce((n, d) => n * d, 1);

/** Dimensions other than 1: what makes an output a list, a map or a single number. */
const core = (shape: readonly number[]): readonly number[] => shape.filter((d) => d !== 1);

/**
 * What the outputs of a run are for one of its `units` samples: the rows of outputs whose first dimension is a
 * multiple of the samples, all of the others.
 */
export function outputsOfUnit(
  outputs: readonly TensorDescription[],
  results: Readonly<Record<string, TypedArray>>,
  units: number,
  unit: number,
): OutputTensor[] {
  return outputs.map(({ name, dtype, shape }) => {
    const data = results[name] as TensorData;
    const rows = (shape[0] ?? 1) / units;
    if (units === 1 || !Number.isInteger(rows) || rows < 1) return { name, type: { dtype, shape }, data };
    const size = data.length / units;
    return {
      name,
      type: { dtype, shape: [rows, ...shape.slice(1)] },
      data: data.slice(unit * size, (unit + 1) * size),
    };
  });
}

/**
 * The output that says the class: the named one, else the first with a list of real numbers, else the first single
 * integer (a class itself). Undefined where there is neither, as for maps and sequences.
 */
export function predictionOf(outputs: readonly OutputTensor[], named?: string): OutputTensor | undefined {
  if (named !== undefined) return outputs.find((o) => o.name === named);
  const list = outputs.find(({ type }) => type.dtype === 'f32' && core(type.shape).length === 1);
  const single = outputs.find(({ type }) => /^i(32|64)$/.test(type.dtype) && core(type.shape).length === 0);
  return list ?? single;
}

/** Outputs that are single real numbers: the figures of a model with an accuracy layer. */
export const figuresOf = (outputs: readonly OutputTensor[]): OutputTensor[] =>
  outputs.filter(({ type }) => type.dtype === 'f32' && core(type.shape).length === 0);
