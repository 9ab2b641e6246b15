import type { DataType } from '../runtime/abi.js';

/** A tensor of onnxruntime. */
export interface OrtTensor {
  readonly data: ArrayBufferView & ArrayLike<number | bigint>;
  readonly dims: readonly number[];
  readonly type: string;
}

export interface OrtSession {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  run(feeds: Readonly<Record<string, OrtTensor>>): Promise<Record<string, OrtTensor>>;
  release(): Promise<void>;
}

/** The part of onnxruntime's interface that is used here; node and web share it. */
export interface Ort {
  readonly Tensor: new (type: string, data: unknown, dims: readonly number[]) => OrtTensor;
  readonly InferenceSession: { create(model: Uint8Array | string, options: object): Promise<OrtSession> };
  readonly env: { readonly wasm: { numThreads: number }; logLevel: string };
}

/** Names of onnxruntime for the types. */
export const ORT_TYPES: Readonly<Record<DataType, string>> = {
  f32: 'float32',
  i8: 'int8',
  u8: 'uint8',
  i32: 'int32',
  i64: 'int64',
  bool: 'bool',
};

/** The type behind a name of onnxruntime; undefined for those that modules do not have, such as float16. */
export const fromOrtType = (type: string): DataType | undefined =>
  (Object.keys(ORT_TYPES) as DataType[]).find((dtype) => ORT_TYPES[dtype] === type);

/** How much onnxruntime rewrites a graph. */
export type OrtLevel = 'all' | 'disabled';

/** A session, and how it came about. */
export interface OpenedSession {
  readonly session: OrtSession;
  readonly level: OrtLevel;
  /** Why it has not the level that was asked for. */
  readonly reason?: string;
  /** Milliseconds that the attempt at that level took. */
  readonly wasted: number;
}

const ONE_THREAD = { intraOpNumThreads: 1, interOpNumThreads: 1 };
/** Errors come as exceptions; only what is fatal is logged besides. */
const QUIET = { logSeverityLevel: 4 };

/** The end of an error of onnxruntime, which says what is wrong; places in its sources and codes stand before it. */
const messageOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).trim().replace(/^.* : /s, '');

/**
 * A session on one thread. Some models run as they stand, but not through onnxruntime's optimizer, which throws: they get a
 * session without optimizations. Throws the error of that where it fails too.
 */
export async function openOrtSession(
  ort: Pick<Ort, 'InferenceSession'>,
  model: Uint8Array | string,
  options: object,
  level: OrtLevel = 'all',
): Promise<OpenedSession> {
  const create = (graphOptimizationLevel: OrtLevel): Promise<OrtSession> =>
    ort.InferenceSession.create(model, { ...options, ...ONE_THREAD, ...QUIET, graphOptimizationLevel });
  const start = performance.now();
  try {
    return { session: await create(level), level, wasted: 0 };
  } catch (error) {
    if (level === 'disabled') throw error;
    const wasted = performance.now() - start;
    return { session: await create('disabled'), level: 'disabled', reason: messageOf(error), wasted };
  }
}
