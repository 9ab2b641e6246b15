import type { TensorData } from '../ir/tensor.js';
import type { TensorInfo } from '../runtime/abi.js';
import { createLoader } from '../runtime/loader.js';
import { readModuleInfo } from '../runtime/module-info.js';
import type { EntryNet, Net, TensorDescription, TypedArray } from '../runtime/net.js';
import { entries as entriesPart } from '../runtime/parts/entries.js';
import { image as imagePart } from '../runtime/parts/image.js';
import { threads as threadsPart } from '../runtime/parts/threads.js';
import { modelError, QcError, usageError } from '../support/errors.js';
import type { Column } from '../tasks/evaluate/column.js';
import { findPackage } from './find-package.js';
import {
  fromOrtType,
  type OpenedSession,
  ORT_TYPES,
  type Ort,
  type OrtLevel,
  type OrtTensor,
  openOrtSession,
} from './onnxruntime.js';

/** How a column is computed, in a form that can be sent to another thread. */
export type ColumnSource =
  | {
      readonly kind: 'module';
      readonly name: string;
      readonly file: string;
      readonly module: WebAssembly.Module;
      /** The inputs of every entry, and which one runs; the first by default. */
      readonly entries: readonly (readonly TensorInfo[])[];
      readonly entry?: number;
    }
  | {
      readonly kind: 'onnxruntime';
      readonly name: string;
      readonly file: string;
      readonly inputs: readonly TensorDescription[];
      readonly level: OrtLevel;
    };

/** Compiles a module; errors name the file. */
export function wasmModule(file: string, bytes: Uint8Array): WebAssembly.Module {
  try {
    return new WebAssembly.Module(bytes as Uint8Array<ArrayBuffer>);
  } catch (cause) {
    const relaxed = readModuleInfo(bytes).info.target === 'relaxed';
    throw modelError(`this engine cannot compile the module: ${(cause as Error).message}`, {
      file,
      cause,
      ...(relaxed ? { remedy: 'The module needs relaxed SIMD, which Node has from version 21 on.' } : {}),
    });
  }
}

function moduleColumn({ name, file, module, entries, entry = 0 }: Extract<ColumnSource, { kind: 'module' }>): Column {
  const inputs = entries[entry] as readonly TensorInfo[];
  const takesPictures = inputs.some((input) => input.image);
  const net = createLoader(file, () => '', [takesPictures ? imagePart : entriesPart, threadsPart()]).loadSync(module);
  const { outputs, run } = takesPictures
    ? net
    : ((net as Net & { entries: readonly EntryNet[] }).entries[entry] as EntryNet);
  return {
    name,
    inputs,
    outputs,
    memoryBytes: net.memoryBytes,
    run: (feeds) => run(feeds as Record<string, TypedArray>),
  };
}

/** onnxruntime, with optimizations that keep its results those of the model. */
async function openOrt(file: string, level?: OrtLevel): Promise<OpenedSession & { readonly ort: Ort }> {
  const ort = await findPackage<Ort>('onnxruntime-node');
  if (!ort) throw usageError('onnxruntime-node is not installed', { remedy: 'npm install onnxruntime-node.' });
  const options = { extra: { session: { x64quantprecision: '1' } } };
  const opened = await openOrtSession(ort, file, options, level).catch((cause) => {
    throw modelError(`onnxruntime cannot load it: ${(cause as Error).message.trim()}`, { file, cause });
  });
  return { ...opened, ort };
}

/** At which level onnxruntime can load a model, and why not at the best. Throws usage and model errors. */
export async function ortLevel(file: string): Promise<Pick<OpenedSession, 'level' | 'reason'>> {
  const { session, level, reason } = await openOrt(file);
  await session.release();
  return { level, ...(reason === undefined ? {} : { reason }) };
}

async function ortColumn({
  name,
  file,
  inputs,
  level,
}: Extract<ColumnSource, { kind: 'onnxruntime' }>): Promise<Column> {
  const { session, ort } = await openOrt(file, level);
  let outputs: TensorDescription[] = [];
  return {
    name,
    inputs,
    get outputs() {
      return outputs;
    },
    memoryBytes: undefined,
    async run(feeds) {
      const tensors = inputs.map(
        ({ name: key, dtype, shape }) => [key, new ort.Tensor(ORT_TYPES[dtype], feeds[key], shape)] as const,
      );
      const results = await session.run(Object.fromEntries(tensors));
      outputs = session.outputNames.map((key) => {
        const { type, dims } = results[key] as OrtTensor;
        return { name: key, dtype: fromOrtType(type) ?? 'f32', shape: dims };
      });
      return Object.fromEntries(
        session.outputNames.map((key) => [key, (results[key] as OrtTensor).data as TensorData as TypedArray]),
      );
    },
  };
}

/** Opens a column in this thread. */
export async function openColumn(source: ColumnSource): Promise<Column> {
  try {
    return source.kind === 'module' ? moduleColumn(source) : await ortColumn(source);
  } catch (error) {
    throw error instanceof QcError ? error : modelError((error as Error).message, { file: source.file, cause: error });
  }
}
