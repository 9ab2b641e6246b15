import { allocate, type Tensor, type TensorData } from '../ir/tensor.js';
import { type DType, sizeOf, type TensorType } from '../ir/type.js';
import { usageError } from '../support/errors.js';
import { quoted } from './names.js';

/**
 * The value of an input that is known when the model is compiled: a number (every element has it), a list in the order of
 * memory, or a list with its shape.
 */
export type InputValue =
  | number
  | readonly number[]
  | { readonly shape: readonly number[]; readonly values: readonly number[] };

/** Inputs that become constants. */
export interface ValueOptions {
  /** Their values by name. */
  readonly inputValues?: Readonly<Record<string, InputValue>> | undefined;
}

/** The entry of a record that may be of any names, such as `constructor`. */
export const own = <T>(record: Readonly<Record<string, T>> | undefined, name: string): T | undefined =>
  record && Object.hasOwn(record, name) ? record[name] : undefined;

/** What inputs that must be constant can be given, for messages. */
export const bindRemedy = (names: readonly string[]): string =>
  `${names.length === 1 ? 'Its value' : 'Their values'} can be bound when compiling: ${names
    .map((name) => `--input-value ${name}=VALUE`)
    .join(' ')}.`;

/** Throws a usage error for values of inputs that the model does not have. */
export function checkInputValues(inputs: readonly string[], { inputValues = {} }: ValueOptions): void {
  const unknown = Object.keys(inputValues).find((name) => !inputs.includes(name));
  if (unknown !== undefined)
    throw usageError(`the model has no input ${quoted(unknown)}`, { remedy: `Its inputs are ${inputs.join(', ')}.` });
}

/** The shape that a value gives an input of a rank; undefined where the model has to say it. */
export function shapeOfValue(value: InputValue, rank: number | undefined): readonly number[] | undefined {
  if (typeof value === 'number') return undefined;
  if ('shape' in value) return value.shape;
  return rank === undefined || rank === 1 ? [value.length] : undefined;
}

const RANGES: Readonly<Record<DType, readonly [lo: number, hi: number]>> = {
  f32: [-3.4028235677973366e38, 3.4028235677973366e38],
  i8: [-128, 127],
  u8: [0, 255],
  i32: [-(2 ** 31), 2 ** 31 - 1],
  i64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  bool: [0, 1],
};

/** The constant that an input of a type becomes. Throws a usage error where the value is not of that type. */
export function tensorOfValue(name: string, { dtype, shape }: TensorType, value: InputValue): Tensor {
  const n = sizeOf(shape);
  const list = typeof value === 'number' ? null : 'shape' in value ? value.values : value;
  if (list && list.length !== n)
    throw usageError(`${list.length} numbers were given for input ${quoted(name)}, which is ${dtype} [${shape}]`);
  const [lo, hi] = RANGES[dtype];
  const fits = (v: number): boolean => v >= lo && v <= hi && (dtype === 'f32' || Number.isInteger(v));
  const bad = (list ?? [value as number]).find((v) => !fits(v));
  if (bad !== undefined) throw usageError(`${bad} is no value for input ${quoted(name)}, which is ${dtype}`);
  const data: TensorData = allocate(dtype, n);
  for (let i = 0; i < n; i++) {
    const v = list ? (list[i] as number) : (value as number);
    data[i] = (data instanceof BigInt64Array ? BigInt(v) : v) as never;
  }
  return { type: { dtype, shape }, data };
}
