/** Compiled modules against the interpreter, for tests. */
import { compile, lower } from '../../src/compile.js';
import { f32, type Tensor } from '../../src/ir/tensor.js';
import { sizeOf } from '../../src/ir/type.js';
import { OPS } from '../../src/ops/index.js';
import { interpret, outputsOf } from '../../src/ops/interpret.js';
import { type CompileOptions, resolveOptions } from '../../src/options.js';
import type { ModuleInfo } from '../../src/runtime/abi.js';
import { createLoader, type TypedArray } from '../../src/runtime/loader.js';
import { random } from './network.js';

const { loadSync } = createLoader('test', () => '');

/** The outputs of a module, run through the loader, the second time it runs: buffers are reused. */
export function runTwice(wasm: Uint8Array, feeds: Readonly<Record<string, Tensor>>): Record<string, TypedArray> {
  const net = loadSync(wasm as Uint8Array<ArrayBuffer>);
  const inputs = Object.fromEntries(net.inputs.map(({ name }) => [name, feeds[name].data]));
  net.run(inputs);
  return net.run(inputs);
}

/** What a module and the interpreter make of the same inputs. */
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
  const feeds = Object.fromEntries(
    report.entries[0].inputs.map(({ name, shape }) => {
      const values = Array.from({ length: sizeOf(shape) }, () => range * next());
      return [name, f32(shape, values)];
    }),
  );
  const { graph } = lower(model, resolveOptions(options));
  const expected = outputsOf(graph, interpret(graph, OPS, feeds));
  return {
    report,
    module: runTwice(wasm, feeds) as Record<string, Float32Array>,
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
