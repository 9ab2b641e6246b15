import type { Attrs } from '../ir/graph.js';
import type { Rounding } from '../ir/type.js';
import type { Activation } from '../quant/activation.js';
import type { Stmt } from './builder/expr.js';
import type { FunctionBuilder } from './builder/function.js';
import type { Signature } from './builder/module.js';

/**
 * How codes are stored in memory: centred (code - zeroPoint), so that zero padding is 0 and products need no correction.
 *
 * - i16: any codes, -255..255.
 * - i8: codes that are proven to lie in 0..127.
 */
export type CodeStorage = 'i8' | 'i16';

/** What vector kernels read: codes, or real numbers as f32. Booleans and bytes are the floats that equal them. */
export type Storage = CodeStorage | 'f32';

/** How a tensor is stored in memory; int32 and int64 are 64-bit integers. */
export type TensorStorage = Storage | 'i64';

/** Bytes per stored element. */
export const STORAGE_BYTES: Readonly<Record<TensorStorage, number>> = { i8: 1, i16: 2, f32: 4, i64: 8 };

/** Whether a storage holds codes. */
export const holdsCodes = (storage: TensorStorage): storage is CodeStorage => storage === 'i8' || storage === 'i16';

/** Instructions that a kernel uses; the last part of its name. */
export type Isa = 'simd' | 'relaxed';

/** Bytes behind the last buffer that kernels may read (never write) past the end of a tensor. */
export const SLACK_BYTES = 64;

/**
 * A kernel family: one wasm function per distinct `key`. Parameters are plain data known at compile time;
 * arguments (addresses in bytes, scalars) come at run time, so that layers of equal shape share one function.
 */
export interface KernelDef<P extends object = object> {
  /** `<dtype>-<kind>-<tile>-<epilogue>-<isa>`, for people; not unique. */
  name(params: P): string;
  /** Kinds of the arguments. */
  signature(params: P): Signature;
  emit(f: FunctionBuilder, params: P): readonly Stmt[];
  /** The kernel in plain code on the same memory and arguments: the emitted function must leave equal bytes. */
  reference(params: P, memory: ArrayBuffer, args: readonly number[]): void;
  /** How a call is cut into parts that different threads compute. Kernels without it are run by one. */
  split?(params: P): Split<P>;
}

/** A call cut along one axis: its parts, in any order, leave the bytes that the whole leaves. */
export interface Split<P extends object = object> {
  /** Rough cost of the whole, in multiply-accumulates of a matrix product of codes. */
  readonly work: number;
  /** Steps along the axis: parts begin and end between them. */
  readonly units: number;
  part(first: number, count: number): SplitPart<P>;
}

/** A part as a call of the same family. */
export interface SplitPart<P extends object = object> {
  readonly params: P;
  /** Bytes to add to the arguments, in their order; those that are left out stay. */
  readonly offsets: readonly number[];
}

/** Declares a kernel family; the one place where the parameter type is forgotten. */
export const eraseKernel = <P extends object>(def: KernelDef<P>): KernelDef => def as unknown as KernelDef;

/** Equal keys share one wasm function. */
export const kernelKey = (def: KernelDef, params: object): string => `${def.name(params)} ${JSON.stringify(params)}`;

/**
 * What a producer does with its sums before storing them (docs/quantization.md has the arithmetic):
 * v = f32(acc * scale[c]) + bias[c] + residual * residualScale, activation, rounding, clamping, storing.
 *
 * `sum` is the type of the accumulator: i32 for codes, f32 for reals (no scale; the accumulator starts at the bias).
 * For codes without `activation`, scale, bias and residualScale are in output quanta; with one they are in
 * real units and the activated value is divided by the output scale (`reciprocal`: multiplied by it). For f32 output they are in real units.
 */
export interface Epilogue {
  readonly sum: 'i32' | 'f32';
  /** i32: starts the accumulator; f32: added after scaling (f32 sums: starts the accumulator). */
  readonly bias: 'none' | 'i32' | 'f32';
  /** Element strides of the residual operand between pixels and rows. */
  readonly residual: { readonly storage: Storage; readonly pix: number; readonly row: number } | null;
  /** For f32 output every activation; for codes only those that are not clamps. */
  readonly activation: (Activation & Attrs) | null;
  readonly output:
    | { readonly storage: 'f32' }
    | {
        /** i8: the bounds lie in 0..127. */
        readonly storage: CodeStorage;
        readonly rounding: Rounding;
        /** Activated values are multiplied by `outputScale`, not divided. */
        readonly reciprocal?: true;
        /** Proven: |value in output quanta| < 2^22, so that no clamp is needed before the rounding. */
        readonly proven: boolean;
        /** The upper bound is 127 and the storage i8: narrowing clamps there. */
        readonly saturates?: true;
      };
}

/** The run-time arguments of an epilogue, in the order of `epilogueSignature`; only those that apply are passed. */
export interface EpilogueArgs<Address = number> {
  /** int32[columns] or f32[columns], by `bias`. */
  readonly bias?: Address;
  /** f32[columns], for i32 sums. */
  readonly scale?: Address;
  readonly residual?: Address;
  readonly residualScale?: number;
  /** Centred bounds of the codes, for codes. */
  readonly lo?: number;
  readonly hi?: number;
  /** f32 scale of the output grid, or its reciprocal, for codes with an activation. */
  readonly outputScale?: number;
}
