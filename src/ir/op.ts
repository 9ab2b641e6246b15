import type { Attrs } from './graph.js';
import type { Tensor } from './tensor.js';
import type { TensorType } from './type.js';

/**
 * How an op behaves under quantization.
 *
 * - float-only: no int8 form.
 * - same-params: moves or selects codes; input and output share one grid (reshape, transpose, max pool).
 * - requantizes: integer arithmetic with one rounding to the output's grid (convolution, add, average pool).
 * - table: a unary function; between two grids it is a table of 256 entries.
 * - boundary: crosses between reals and codes (quantize, dequantize, requantize).
 */
export type QuantClass = 'float-only' | 'same-params' | 'requantizes' | 'table' | 'boundary';

/** What `infer` sees of an input: its type, and its content where it is constant. */
export interface InferInput {
  readonly type: TensorType;
  readonly data?: Tensor;
}

/**
 * The meaning of an op, in one file under src/ops. All tensors are row-major in the logical (NCHW) shape.
 * `A` is the shape of the op's attributes.
 */
export interface OpDef<A extends Attrs = Attrs> {
  /** Paddle's op type name. */
  readonly name: string;
  readonly doc: string;
  /** Least and greatest number of inputs. Absent optional inputs are null. */
  readonly inputs: readonly [number, number];
  readonly quant: QuantClass;
  /**
   * Shape and dtype of the outputs, without a grid (dtype f32 for real numbers even where inputs are codes).
   * Throws a plain Error with a short message when the inputs do not fit; the caller adds the node.
   */
  infer(attrs: A, inputs: readonly (InferInput | null)[]): TensorType[];
  /**
   * The op on plain tensors: reals are float32, codes have been turned into reals by the caller, and the caller
   * rounds the results to the outputs' grids. Sums are accumulated in float64 and rounded once.
   */
  reference(attrs: A, inputs: readonly (Tensor | null)[]): Tensor[];
  /**
   * The op on codes, exactly as the numeric contract (docs/quantization.md) says. `inputs` hold codes with grids
   * where the graph has codes; `output` is the wanted type of output 0: codes, or f32 without grid.
   * Absent where the op has no integer arithmetic of its own.
   */
  integer?(attrs: A, inputs: readonly (Tensor | null)[], output: TensorType): Tensor;
}

/** The op definitions by name, as passes and the interpreter receive them. */
export type OpTable = ReadonlyMap<string, OpDef>;
