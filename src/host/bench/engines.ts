import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createLoader } from '../../runtime/loader.js';
import type { EntryNet, Loader, Net, Profile, ProfileOptions, TypedArray } from '../../runtime/net.js';
import { entries } from '../../runtime/parts/entries.js';
import { profile } from '../../runtime/parts/profile.js';
import { revectorize } from '../../runtime/parts/revectorize.js';
import { threads } from '../../runtime/parts/threads.js';
import { ARRAYS } from '../../runtime/values.js';
import { ORT_TYPES, type Ort, type OrtTensor, openOrtSession } from '../onnxruntime.js';
import type { EngineName, Job } from './job.js';

/** A loaded network with its inputs in place. */
export interface Engine {
  /** Hands the inputs in and takes the outputs, by name. */
  run(): Outputs | Promise<Outputs>;
  readonly revectorized?: boolean;
  /** onnxruntime: why it runs without optimizations, and the milliseconds that the attempt with them took. */
  readonly unoptimized?: { readonly reason: string; readonly wasted: number };
  profile?(options: ProfileOptions): Profile;
}

export type Outputs = Readonly<Record<string, ArrayBufferView>>;

/** The packages of the peers. */
export const PEERS: Readonly<Record<Exclude<EngineName, 'qc'>, string>> = {
  'ort-node': 'onnxruntime-node',
  'ort-web': 'onnxruntime-web',
};

/** The data of the inputs, read from their files. */
function readInputs(job: Job): Map<string, TypedArray> {
  return new Map(
    job.inputs.map(({ name, dtype, file }) => [name, new ARRAYS[dtype](new Uint8Array(readFileSync(file)).buffer)]),
  );
}

async function loadQc(
  { file, revectorize: wide, entry }: Job,
  inputs: ReadonlyMap<string, TypedArray>,
): Promise<Engine> {
  const options = wide ? { revectorize: true } : {};
  let net: Net & { readonly revectorized?: boolean; readonly entries?: readonly EntryNet[] };
  if (file.endsWith('.wasm')) {
    const loader = createLoader(file, () => file, [entries, profile, revectorize, threads()]);
    net = await loader.load(new Uint8Array(readFileSync(file)), options);
  } else net = await ((await import(pathToFileURL(file).href)) as Loader).load(options);
  const feeds = Object.fromEntries(inputs);
  const runner = net.entries?.[entry ?? 0] ?? net;
  return {
    run: () => runner.run(feeds),
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
  const ort = createRequire(join(job.packages, 'package.json'))(name) as Ort;
  ort.env.logLevel = 'error';
  if (job.engine === 'ort-web') ort.env.wasm.numThreads = 1;
  const options = { executionProviders: [job.engine === 'ort-web' ? 'wasm' : 'cpu'] };
  const { session, reason, wasted } = await openOrtSession(ort, readFileSync(job.file), options);
  const feeds = (): Record<string, OrtTensor> =>
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
    ...(reason === undefined ? {} : { unoptimized: { reason, wasted } }),
  };
}

/** Loads the network of a job in its engine. */
export const loadEngine = (job: Job): Promise<Engine> => {
  const inputs = readInputs(job);
  return job.engine === 'qc' ? loadQc(job, inputs) : loadOrt(job, inputs);
};
