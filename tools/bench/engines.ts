/** Loads a model in one of the engines. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Loader } from '../../src/runtime/net.js';
import type { Job } from './job.js';

/** A loaded model: one float input in, first output out, copies included. */
export interface Session {
  run(x: Float32Array): Promise<Float32Array> | Float32Array;
}

/** The part of onnxruntime's interface that is used here; node and web share it. */
interface OrtModule {
  readonly InferenceSession: { create(model: Uint8Array, options: object): Promise<OrtSession> };
  readonly Tensor: new (type: 'float32', data: Float32Array, dims: readonly number[]) => unknown;
  readonly env: { readonly wasm: { numThreads: number }; logLevel: string };
}

interface OrtSession {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  run(feeds: Record<string, unknown>): Promise<Record<string, { readonly data: Float32Array }>>;
}

async function loadQc({ file, revectorize = false }: Job): Promise<Session> {
  const { load } = (await import(pathToFileURL(file).href)) as Loader;
  const net = await load(revectorize ? { revectorize } : {});
  if (revectorize && !(net as { revectorized?: boolean }).revectorized)
    throw new Error('the engine has no 256-bit code, or its self-test failed');
  const [input, output] = [net.inputs[0]?.name as string, net.outputs[0]?.name as string];
  return { run: (x) => net.run({ [input]: x })[output] as Float32Array };
}

async function loadOrt({ engine, file, shape, packages, exact }: Job): Promise<Session> {
  const name = engine === 'ort-web' ? 'onnxruntime-web' : 'onnxruntime-node';
  const ort = createRequire(join(packages, 'package.json'))(name) as OrtModule;
  ort.env.logLevel = 'error';
  if (engine === 'ort-web') ort.env.wasm.numThreads = 1;
  const session = await ort.InferenceSession.create(readFileSync(file), {
    executionProviders: [engine === 'ort-web' ? 'wasm' : 'cpu'],
    graphOptimizationLevel: exact ? 'disabled' : 'all',
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    logSeverityLevel: 3,
  });
  const [input, output] = [session.inputNames[0] as string, session.outputNames[0] as string];
  return {
    async run(x) {
      const outputs = await session.run({ [input]: new ort.Tensor('float32', x, shape) });
      return (outputs[output] as { data: Float32Array }).data;
    },
  };
}

/** Loads the model of a job in its engine. */
export const load = (job: Job): Promise<Session> => (job.engine === 'qc' ? loadQc(job) : loadOrt(job));
