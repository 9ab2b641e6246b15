/**
 * Runs one model in one engine in this process and prints one JSON line: what `peers.ts` starts for every case.
 * Arguments: ENGINE (qc | ort-web | ort-node) MODEL [SECONDS].
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename } from 'node:path';
import { compile } from '../../src/index.js';

/** A loaded model: one input in, first output out. */
interface Session {
  run(x: Float32Array): Promise<Float32Array> | Float32Array;
  readonly inputSize: number;
}

/** The part of onnxruntime's interface that is used here; node and web share it. */
interface OrtModule {
  readonly InferenceSession: {
    create(
      model: Uint8Array,
      options: object,
    ): Promise<{
      readonly inputNames: readonly string[];
      readonly outputNames: readonly string[];
      readonly inputMetadata?: readonly { readonly shape?: readonly (number | string)[] }[];
      run(feeds: Record<string, unknown>): Promise<Record<string, { readonly data: Float32Array }>>;
    }>;
  };
  readonly Tensor: new (type: 'float32', data: Float32Array, dims: readonly number[]) => unknown;
  readonly env: { readonly wasm: { numThreads: number }; logLevel: string };
}

async function loadQc(model: Uint8Array, name: string): Promise<Session> {
  const { wasm, report } = await compile(model, { name });
  const { instance } = await WebAssembly.instantiate(wasm as Uint8Array<ArrayBuffer>, {});
  const { memory, run } = instance.exports as { memory: WebAssembly.Memory; run: () => void };
  const [entry] = report.entries;
  const view = (t: { offset: number; shape: readonly number[] }) =>
    new Float32Array(
      memory.buffer,
      t.offset,
      t.shape.reduce((a, b) => a * b, 1),
    );
  const [input, output] = [view(entry.inputs[0]), view(entry.outputs[0])];
  return {
    inputSize: input.length,
    run(x) {
      input.set(x);
      run();
      return output.slice();
    },
  };
}

/** The input shape that the compiler finds in the model; onnxruntime does not tell it in all versions. */
async function inputShape(model: Uint8Array): Promise<readonly number[]> {
  const { report } = await compile(model, { precision: 'fp32' });
  return report.entries[0].inputs[0].shape;
}

async function loadOrt(engine: 'ort-web' | 'ort-node', model: Uint8Array): Promise<Session> {
  const name = engine === 'ort-web' ? 'onnxruntime-web' : 'onnxruntime-node';
  const ort = createRequire(import.meta.url)(name) as OrtModule;
  ort.env.logLevel = 'error';
  if (engine === 'ort-web') ort.env.wasm.numThreads = 1;
  const executionProviders = [engine === 'ort-web' ? 'wasm' : 'cpu'];
  const options = { executionProviders, graphOptimizationLevel: 'all', intraOpNumThreads: 1, interOpNumThreads: 1 };
  const session = await ort.InferenceSession.create(model, { ...options, logSeverityLevel: 3 });
  const shape = await inputShape(model);
  const [input, output] = [session.inputNames[0], session.outputNames[0]];
  return {
    inputSize: shape.reduce((a, b) => a * b, 1),
    run: async (x) => (await session.run({ [input]: new ort.Tensor('float32', x, shape) }))[output].data,
  };
}

/** Runs until the best time stops improving, then measures for a while; gives the median in milliseconds. */
async function measure(session: Session, seconds: number): Promise<{ median: number; best: number; runs: number }> {
  let state = 1;
  const x = Float32Array.from({ length: session.inputSize }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2147483648 - 1;
  });
  const timed = async (): Promise<number> => {
    const start = performance.now();
    await session.run(x);
    return performance.now() - start;
  };
  const until = async (ms: number): Promise<number[]> => {
    const end = performance.now() + ms;
    const times: number[] = [];
    while (performance.now() < end || times.length < 3) times.push(await timed());
    return times;
  };
  for (let best = Infinity, calm = 0; calm < 2; ) {
    const next = Math.min(...(await until(300)));
    calm = next > best * 0.97 ? calm + 1 : 0;
    best = Math.min(best, next);
  }
  const times = (await until(1000 * seconds)).sort((a, b) => a - b);
  return { median: times[times.length >> 1], best: times[0], runs: times.length };
}

const [engine, file, seconds = '2'] = process.argv.slice(2);
const model = new Uint8Array(readFileSync(file));
const session = await (engine === 'qc' ? loadQc(model, basename(file, '.onnx')) : loadOrt(engine as 'ort-web', model));
console.log(JSON.stringify(await measure(session, Number(seconds))));
process.exit(0);
