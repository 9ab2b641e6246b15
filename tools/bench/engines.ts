/** Loads a model in one of the engines. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { PEERS } from '../../src/host/bench/engines.js';
import { type Ort, type OrtTensor, openOrtSession } from '../../src/host/onnxruntime.js';
import type { Loader } from '../../src/runtime/net.js';
import type { Job } from './job.js';

/** A loaded model: one float input in, first output out, copies included. */
export interface Session {
  run(x: Float32Array): Promise<Float32Array> | Float32Array;
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
  const ort = createRequire(join(packages, 'package.json'))(PEERS[engine as keyof typeof PEERS]) as Ort;
  ort.env.logLevel = 'error';
  if (engine === 'ort-web') ort.env.wasm.numThreads = 1;
  const options = { executionProviders: [engine === 'ort-web' ? 'wasm' : 'cpu'] };
  const { session, reason } = await openOrtSession(ort, readFileSync(file), options, exact ? 'disabled' : 'all');
  if (reason !== undefined) throw new Error(`onnxruntime cannot optimize the model: ${reason}`);
  const [input, output] = [session.inputNames[0] as string, session.outputNames[0] as string];
  return {
    async run(x) {
      const outputs = await session.run({ [input]: new ort.Tensor('float32', x, shape) });
      return (outputs[output] as OrtTensor).data as Float32Array;
    },
  };
}

/** Loads the model of a job in its engine. */
export const load = (job: Job): Promise<Session> => (job.engine === 'qc' ? loadQc(job) : loadOrt(job));
