/** onnxruntime-node, where one of the installs has it: the independent reference of the float tests. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ORT_TYPES } from '../../src/host/onnxruntime.js';
import { type Tensor, type TensorData, tensor } from '../../src/ir/tensor.js';
import type { DType } from '../../src/ir/type.js';
import { skipUnless } from './skip.js';

interface OrtTensor {
  readonly type: string;
  readonly dims: readonly number[];
  readonly data: TensorData;
}

interface OrtSession {
  readonly inputNames: readonly string[];
  run(feeds: Record<string, OrtTensor>): Promise<Record<string, OrtTensor>>;
  release(): Promise<void>;
}

interface Ort {
  readonly env: { readonly versions: { readonly node?: string } };
  readonly Tensor: new (type: string, data: TensorData, dims: readonly number[]) => OrtTensor;
  readonly InferenceSession: { create(bytes: Uint8Array, options: object): Promise<OrtSession> };
}

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Where it may be installed: the main install, the test engines, the benchmarks, or a folder of the user's choice. */
const PLACES = ['', 'test/engines', 'tools/bench'].map((dir) => join(ROOT, dir));
if (process.env.QC_ORT) PLACES.unshift(process.env.QC_ORT);

/** The folder whose packages it is among; undefined where it is not installed. */
export const ORT_PLACE = PLACES.find((dir) => existsSync(join(dir, 'node_modules/onnxruntime-node/package.json')));

function load(): Ort | null {
  if (ORT_PLACE === undefined) return null;
  return createRequire(join(ORT_PLACE, 'package.json'))('onnxruntime-node') as Ort;
}

const ort = load();

/** Whether onnxruntime is there; if not, says that `name` is skipped. */
export const hasOrt = (name: string): boolean =>
  skipUnless(ort !== null, name, 'onnxruntime-node is not installed: npm ci --prefix test/engines');

const DTYPE = Object.fromEntries(Object.entries(ORT_TYPES).map(([ours, theirs]) => [theirs, ours])) as Record<
  string,
  DType
>;

/** Runs a model with all optimizations disabled, so that every op is evaluated as the file says. */
export async function runOrt(
  bytes: Uint8Array,
  feeds: Readonly<Record<string, Tensor>>,
): Promise<Record<string, Tensor>> {
  if (!ort) throw new Error('onnxruntime-node is not installed');
  const options = { graphOptimizationLevel: 'disabled', intraOpNumThreads: 1, logSeverityLevel: 3 };
  const session = await ort.InferenceSession.create(bytes, options);
  const inputs = Object.fromEntries(
    Object.entries(feeds).map(([name, t]) => [name, new ort.Tensor(ORT_TYPES[t.type.dtype], t.data, t.type.shape)]),
  );
  const outputs = await session.run(inputs);
  await session.release();
  return Object.fromEntries(
    Object.entries(outputs).map(([name, { type, dims, data }]) => [
      name,
      tensor({ dtype: DTYPE[type] as DType, shape: dims.map(Number) }, data.slice()),
    ]),
  );
}
