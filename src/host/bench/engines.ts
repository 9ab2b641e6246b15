import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { DataType } from '../../runtime/abi.js';
import { createLoader } from '../../runtime/loader.js';
import type { Loader, Net, Profile, ProfileOptions, TypedArray } from '../../runtime/net.js';
import { profile } from '../../runtime/parts/profile.js';
import { revectorize } from '../../runtime/parts/revectorize.js';
import { ARRAYS } from '../../runtime/values.js';
import type { EngineName, Job } from './job.js';

/** A loaded network with its inputs in place. */
export interface Engine {
  /** Hands the inputs in and takes the outputs, by name. */
  run(): Outputs | Promise<Outputs>;
  readonly revectorized?: boolean;
  profile?(options: ProfileOptions): Profile;
}

export type Outputs = Readonly<Record<string, ArrayBufferView>>;

/** The packages of the peers. */
export const PEERS: Readonly<Record<Exclude<EngineName, 'qc'>, string>> = {
  'ort-node': 'onnxruntime-node',
  'ort-web': 'onnxruntime-web',
};

/** Names of onnxruntime for the types. */
const ORT_TYPES: Readonly<Record<DataType, string>> = {
  f32: 'float32',
  i8: 'int8',
  u8: 'uint8',
  i32: 'int32',
  i64: 'int64',
  bool: 'bool',
};

/** The part of onnxruntime's interface that is used here; node and web share it. */
interface OrtModule {
  readonly InferenceSession: { create(model: Uint8Array, options: object): Promise<OrtSession> };
  readonly Tensor: new (type: string, data: ArrayBufferView, dims: readonly number[]) => unknown;
  readonly env: { readonly wasm: { numThreads: number }; logLevel: string };
}

interface OrtSession {
  run(feeds: Record<string, unknown>): Promise<Record<string, { readonly data: ArrayBufferView }>>;
}

/** The data of the inputs, read from their files. */
function readInputs(job: Job): Map<string, TypedArray> {
  return new Map(
    job.inputs.map(({ name, dtype, file }) => [name, new ARRAYS[dtype](new Uint8Array(readFileSync(file)).buffer)]),
  );
}

async function loadQc({ file, revectorize: wide }: Job, inputs: ReadonlyMap<string, TypedArray>): Promise<Engine> {
  const options = wide ? { revectorize: true } : {};
  let net: Net & { readonly revectorized?: boolean };
  if (file.endsWith('.wasm')) {
    const loader = createLoader(file, () => file, [profile, revectorize]);
    net = await loader.load(new Uint8Array(readFileSync(file)), options);
  } else net = await ((await import(pathToFileURL(file).href)) as Loader).load(options);
  const feeds = Object.fromEntries(inputs);
  return {
    run: () => net.run(feeds),
    ...(wide ? { revectorized: net.revectorized === true } : {}),
    ...(net.profile
      ? {
          profile: (settings: ProfileOptions) => {
            for (const [name, data] of inputs) net.input(name).set(data as never);
            return (net.profile as NonNullable<Net['profile']>)(settings);
          },
        }
      : {}),
  };
}

async function loadOrt(job: Job, inputs: ReadonlyMap<string, TypedArray>): Promise<Engine> {
  const name = PEERS[job.engine as keyof typeof PEERS];
  const ort = createRequire(join(job.packages, 'package.json'))(name) as OrtModule;
  ort.env.logLevel = 'error';
  if (job.engine === 'ort-web') ort.env.wasm.numThreads = 1;
  const session = await ort.InferenceSession.create(readFileSync(job.file), {
    executionProviders: [job.engine === 'ort-web' ? 'wasm' : 'cpu'],
    graphOptimizationLevel: job.exact ? 'disabled' : 'all',
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    logSeverityLevel: 3,
  });
  const feeds = (): Record<string, unknown> =>
    Object.fromEntries(
      job.inputs.map(({ name, dtype, shape }) => [
        name,
        new ort.Tensor(ORT_TYPES[dtype], inputs.get(name) as ArrayBufferView, shape),
      ]),
    );
  return {
    async run() {
      const outputs = await session.run(feeds());
      return Object.fromEntries(Object.entries(outputs).map(([key, { data }]) => [key, data]));
    },
  };
}

/** Loads the network of a job in its engine. */
export const loadEngine = (job: Job): Promise<Engine> => {
  const inputs = readInputs(job);
  return job.engine === 'qc' ? loadQc(job, inputs) : loadOrt(job, inputs);
};
