/** Compiled modules against the interpreter, for tests. */
import { compile, lower } from '../../src/compile.js';
import type { Tensor } from '../../src/ir/tensor.js';
import { f32 } from '../../src/ir/tensor.js';
import { OPS } from '../../src/ops/index.js';
import { interpret, outputsOf } from '../../src/ops/interpret.js';
import { type CompileOptions, resolveOptions } from '../../src/options.js';
import type { ModuleInfo } from '../../src/runtime/abi.js';
import { random } from './network.js';

export interface Outcome {
  readonly report: ModuleInfo;
  /** Outputs of the module and of the interpreter on the same final graph. */
  readonly module: Readonly<Record<string, Float32Array>>;
  readonly reference: Readonly<Record<string, Float32Array>>;
}

/** Compiles a model, runs it twice (buffers are reused), and interprets the graph it was compiled from. */
export async function outcome(model: Uint8Array, options: CompileOptions = {}, seed = 7, range = 2): Promise<Outcome> {
  const { wasm, report } = await compile(model, options);
  const next = random(seed);
  const [entry] = report.entries;
  const feeds: Record<string, Tensor> = {};
  for (const { name, shape } of entry.inputs)
    feeds[name] = f32(
      shape,
      Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => range * next()),
    );
  const { graph } = lower(model, resolveOptions(options));
  const expected = outputsOf(graph, interpret(graph, OPS, feeds));
  const { instance } = await WebAssembly.instantiate(wasm as Uint8Array<ArrayBuffer>, {});
  const { memory, run } = instance.exports as { memory: WebAssembly.Memory; run: () => void };
  const view = (t: { offset: number; shape: readonly number[] }): Float32Array =>
    new Float32Array(
      memory.buffer,
      t.offset,
      t.shape.reduce((a, b) => a * b, 1),
    );
  for (let round = 0; round < 2; round++) {
    for (const input of entry.inputs) view(input).set(feeds[input.name].data as Float32Array);
    run();
  }
  return {
    report,
    module: Object.fromEntries(entry.outputs.map((t) => [t.name, view(t).slice()])),
    reference: Object.fromEntries(Object.entries(expected).map(([name, t]) => [name, t.data as Float32Array])),
  };
}

/** The largest difference over the largest reference value, over all outputs; NaN counts as infinite. */
export function relativeError({ module, reference }: Outcome): number {
  let [most, difference] = [1e-30, 0];
  for (const [name, expected] of Object.entries(reference))
    expected.forEach((v, i) => {
      const d = Math.abs(v - module[name][i]);
      difference = Math.max(difference, Number.isNaN(d) ? Infinity : d);
      most = Math.max(most, Math.abs(v));
    });
  return difference / most;
}

/** Whether all outputs are equal bit by bit (0 and -0 are the same code, so they count as equal). */
export const identical = ({ module, reference }: Outcome): boolean =>
  Object.entries(reference).every(
    ([name, expected]) => expected.length === module[name].length && expected.every((v, i) => v === module[name][i]),
  );

/** The op types of a report that are int8. */
export const int8Ops = (report: ModuleInfo): string[] => report.ops.filter((o) => o.int8).map((o) => o.type);
