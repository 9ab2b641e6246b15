import type { CodeRange, Node } from '../ir/graph.js';
import type { Tensor } from '../ir/tensor.js';
import type { TensorType } from '../ir/type.js';
import { type Isa, type KernelDef, STORAGE_BYTES, type Storage, type TensorStorage } from './kernel.js';

/** A place in a buffer, in bytes; addresses are known only when memory has been planned. */
export interface Ref {
  readonly buffer: number;
  readonly offset: number;
}

/** An argument of a kernel call. */
export type Arg = number | Ref;

/** How many zero pixels surround an image: [top, left, bottom, right]. */
export type Halo = readonly [number, number, number, number];

/** An image without zeros around it. */
export const NO_HALO: Halo = [0, 0, 0, 0];

/** A tensor in memory: logical shape, element strides per logical dimension, and the place of its first element. */
export interface View {
  readonly buffer: number;
  /** Elements from the start of the buffer to the element at index 0, 0, ... */
  readonly offset: number;
  readonly storage: TensorStorage;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  /** Zero pixels around the image; [0, 0, 0, 0] unless the layout is NHWC. */
  readonly halo: Halo;
}

/** What a lowering needs of the layout of an operand. */
export interface LayoutNeed {
  /** Channels innermost, with at least this halo of zeros. */
  readonly nhwc?: Halo;
  /** Row-major without gaps. */
  readonly contiguous?: boolean;
}

/** A kernel of `init` that makes weights. */
export interface WeightMaker {
  readonly kernel: KernelDef;
  readonly params: object;
  readonly args: readonly Arg[];
}

/** What the lowering of one node works with. It emits kernel calls in order; nothing here knows of WebAssembly. */
export interface LowerContext {
  readonly node: Node;
  /** Instructions that kernels may use. */
  readonly target: Isa;
  inputType(slot: number): TensorType;
  /** Whether an optional operand is there. */
  hasInput(slot: number): boolean;
  outputType(index?: number): TensorType;
  /** The content of an operand, if it is a constant. */
  constant(slot: number): Tensor | null;
  /** The codes that an operand is proven to hold. */
  range(slot: number): CodeRange | null;
  /** An operand in memory; copied where its layout does not meet the need. Constants become data. */
  input(slot: number, need?: LayoutNeed): View;
  /** The memory of an output in the layout the planner chose. Its halo is zeroed before the next call. */
  output(index?: number): View;
  /**
   * The memory of output 0, where possible that of one of these operands: its elements may be overwritten by the
   * results at the same places, as no later node reads them, and no other operand of this one.
   */
  outputOver(...slots: readonly number[]): View;
  /** Makes an output a second name of a view, without copying. */
  alias(view: View, index?: number): void;
  /** Constant bytes of the module; equal content is stored once. */
  data(content: Float32Array | Int32Array | Int16Array | BigInt64Array): Ref;
  /** Packed weights. i16 codes are stored in one byte each where they fit, and widened at instantiation. */
  weights(packed: Int8Array | Int16Array | Float32Array): Ref;
  /** Whether weights are stored in the order of the simd target, which another module shares. */
  readonly sharesWeights: boolean;
  /** Memory for the calls of this node only; `task`: what it holds is used within one task, and each thread has its own. */
  scratch(bytes: number, use?: 'node' | 'task'): Ref;
  /**
   * The calls until the next `task` or the end of the node are a task: what they read, no other task of the node writes.
   * Threads may compute tasks at the same time.
   */
  task(): void;
  /**
   * Weights that a kernel of `init` makes of reals, or of centred codes in one byte each; null where the codes do not
   * fit. The kernel's arguments are source, target, those given, and for codes the shift that it subtracts from every byte.
   */
  transformedWeights(packed: Int16Array | Float32Array, bytes: number, make: WeightMaker): Ref | null;
  /** `bytes` bytes that a kernel of `init` makes of constants; its arguments are source, target, and those given. */
  prepared(content: Int16Array, bytes: number, make: WeightMaker): Ref;
  call<P extends object>(kernel: KernelDef<P>, params: P, args: readonly Arg[]): void;
}

/** The byte address of an element of a view. */
export const refOf = (view: View, element = 0): Ref => ({
  buffer: view.buffer,
  offset: (view.offset + element) * STORAGE_BYTES[view.storage],
});

/** The storage of a view that a vector kernel reads or writes. Throws for 64-bit integers. */
export function laneStorage({ storage }: View): Storage {
  if (storage === 'i64') throw new Error('it has no form for int32 and int64');
  return storage;
}

/** Integers as pairs of 32-bit words, for kernels that move elements as they are; other views stay. */
export const asWords = (view: View): View =>
  view.storage === 'i64'
    ? {
        ...view,
        storage: 'f32',
        offset: 2 * view.offset,
        shape: [...view.shape, 2],
        strides: [...view.strides.map((s) => 2 * s), 1],
        halo: NO_HALO,
      }
    : view;

/** Where a part begins. */
export interface Place {
  readonly axis: number;
  /** The first index of the part along the axis. */
  readonly start: number;
}

/** The memory of a part. */
export const partOf = (whole: View, { axis, start }: Place, shape: readonly number[]): View => ({
  ...whole,
  shape,
  offset: whole.offset + start * (whole.strides[axis] as number),
  halo: NO_HALO,
});

/** Whether two views of one shape name the same elements. */
export const samePlace = (a: View, b: View): boolean =>
  a.buffer === b.buffer &&
  a.offset === b.offset &&
  a.storage === b.storage &&
  a.shape.every((n, d) => n === 1 || a.strides[d] === b.strides[d]);
