/**
 * The contract between a compiled module and whoever runs it.
 *
 * A module imports nothing, but for the shared memory where several threads run it (`ThreadsInfo`), and exports
 * - `memory`: fixed size, never grows, so that views on it stay valid;
 * - `init()`: prepares the weights; harmless to call again; the first run does it where the caller did not;
 * - one function per entry, `run()`: reads the input buffers, writes the output buffers.
 *
 * Buffers lie at the offsets of the custom section `qc` (UTF-8 JSON, `ModuleInfo`), aligned to 16 bytes, and hold
 * tensors of the source model's types, little-endian and row-major in the logical shape. A run may overwrite the
 * inputs; outputs stay until the next run.
 */

/** Name of the custom section. */
export const SECTION_NAME = 'qc';

/** Version of this contract; a loader reads only its own. */
export const ABI_VERSION = 1;

/** What a module for several threads imports. */
export const SHARED_MEMORY = { module: 'env', name: 'memory' } as const;

/** The most threads that a run can have. */
export const MOST_THREADS = 64;

/** Element types at the module's border. bool is one byte, 0 or 1. */
export type DataType = 'f32' | 'i8' | 'u8' | 'i32' | 'i64' | 'bool';

/** Instruction set: `simd` is fixed-width SIMD, `relaxed` adds relaxed SIMD. Results are identical. */
export type Target = 'simd' | 'relaxed';

/** An input that is a picture: RGBA bytes, row by row, of any size that has no more pixels than the tensor's shape. */
export interface ImageInfo {
  /** What the network takes. */
  readonly width: number;
  readonly height: number;
  /** Whether pictures of other sizes are resized to it (half-pixel bilinear, in fixed point), or refused. */
  readonly resize: 'bilinear' | 'none';
  /** Byte offset of two i32: width and height of the picture. Zeros mean those of the tensor's shape. */
  readonly size: number;
}

/** One input or output of an entry. */
export interface TensorInfo {
  /** The name in the source model, verbatim. */
  readonly name: string;
  readonly dtype: DataType;
  readonly shape: readonly number[];
  /** Byte offset of its buffer in the memory. */
  readonly offset: number;
  /** Grid of the value where the network quantizes it: real = (code - zeroPoint) * scale. */
  readonly scale?: number;
  readonly zeroPoint?: number;
  /** Where the input is a picture; the shape is then [height, width, 4] of the largest one. */
  readonly image?: ImageInfo;
}

/** An exported function for one set of input shapes. */
export interface EntryInfo {
  readonly export: string;
  /** Items of a batch in one run, where each tensor has them in dimension 0; a loader then takes any number of items. */
  readonly batch?: number;
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
  /** In profile builds: an exported `step(i)` that computes one step of a run; all in order are a run. */
  readonly profile?: { readonly export: string; readonly steps: readonly StepInfo[] };
}

/** How products are computed: pairs of i16, relaxed dot products of i8, float32; or Winograd's transform with pairs or float32. */
export type Arithmetic = 'pairs' | 'bytes' | 'reals' | 'winograd' | 'winograd of reals';

/** The shape of a convolution or product, for judging its speed. */
export interface ProductInfo {
  /** depthwise: every result sums over one channel. */
  readonly kind: 'dense' | 'depthwise';
  /** Height and width of the results, those of a batch one below the other; a matrix product has one row. */
  readonly pixels: readonly [number, number];
  /** Results per pixel, and groups of columns that read the same channels. */
  readonly columns: number;
  readonly groups: number;
  /** Products per result. */
  readonly inner: number;
  readonly window: readonly [number, number];
  /** What the proven ranges of its operands and its geometry allow on the module's target. */
  readonly allows: readonly Arithmetic[];
}

/** A part of a run: the kernel calls of one op, or of a conversion at the module's border. */
export interface StepInfo {
  /** Ids of the ops it computes: the node's own, then those fused into it; none at the border. */
  readonly ops: readonly number[];
  /** Type of the op, or `border`. */
  readonly type: string;
  /** The node's name in the source file, possibly empty. */
  readonly name: string;
  readonly kernels: readonly string[];
  /** Multiply-accumulate operations of the plain definition: Winograd kernels get by with fewer. */
  readonly macs: number;
  readonly product?: ProductInfo;
  /** Bytes of the operands, weights included, and of the results, each counted once. */
  readonly bytes: number;
  /** The result overwrites an operand: another call of the step computes on the result. */
  readonly inPlace?: boolean;
}

/** Memory of one instance, in bytes except `pages` (of 64 KiB). */
export interface MemoryInfo {
  readonly pages: number;
  readonly bytes: number;
  /** Weights and tables, stored and packed. */
  readonly weights: number;
  /** Activations, inputs and outputs, after reuse of buffers. */
  readonly activations: number;
}

/**
 * In modules for several threads. The memory is imported: shared, of `MemoryInfo.pages` pages and for each thread but the first
 * `perThread` bytes more, with `maxPages` pages at most. `run` works as in other modules; every other thread has an
 * instance on the same memory that is in `help(i)`, with i = 1, 2, ..., which returns after a call of `stop()`.
 */
export interface ThreadsInfo {
  readonly perThread: number;
  readonly maxPages: number;
}

/** What became of one op of the source model. */
export interface OpInfo {
  /** Index of the op in the source file; `--op-ids-to-skip` takes it. */
  readonly id: number;
  readonly type: string;
  /** The node's name in the source file, possibly empty. */
  readonly name: string;
  readonly int8: boolean;
  /** Why the op is not int8. */
  readonly reason?: string;
  /** Who needs a quantize, dequantize or requantize. */
  readonly neededBy?: string;
  /** The int8 region that it belongs to, from 1. */
  readonly region?: number;
  /** Types as text, such as `u8[1x3x224x224] s=0.0078 zp=128`. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Where the scales of its result and of its weights come from, in words. */
  readonly scaleOf?: { readonly output?: string; readonly weights?: string };
  /** The kernels that compute it, such as `i8-gemm-4x8-requant-relaxed`; absent where no code is needed. */
  readonly kernel?: string;
  /** Ops that were fused into this one. */
  readonly fused?: readonly { readonly id: number; readonly type: string }[];
}

/** SHA-256 in hexadecimal. */
export interface Hashes {
  readonly model: string;
  readonly options: string;
}

/**
 * A check that an engine computes what the compiler expected: inputs come from `seed` by the generator of
 * runtime/self-test.ts, outputs are compared byte by byte through their checksum.
 */
export interface SelfTest {
  readonly export: string;
  readonly seed: number;
  readonly outputs: readonly {
    readonly name: string;
    /** FNV-1a, 32 bits, over the bytes of the output, as 8 hexadecimal digits. */
    readonly fnv1a: string;
    /** The first bytes of the output (at most 64) in base64: what a difference looks like. */
    readonly head: string;
  }[];
}

/** The JSON of the custom section. */
export interface ModuleInfo {
  /** `ABI_VERSION` of the compiler that made the module. */
  readonly version: number;
  /** Version of that compiler. */
  readonly compiler: string;
  /** Name of the model: the stem of the emitted files. */
  readonly name: string;
  readonly target: Target;
  /** Reals may differ in the last bits between engines. */
  readonly fastMath?: boolean;
  readonly entries: readonly EntryInfo[];
  readonly memory: MemoryInfo;
  readonly threads?: ThreadsInfo;
  readonly hashes: Hashes;
  readonly ops: readonly OpInfo[];
  /** Names of the elements of the first output. */
  readonly labels?: readonly string[];
  readonly selfTest?: SelfTest;
}
