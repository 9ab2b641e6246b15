import { compile } from '../../compile.js';
import type { Sample } from '../../data/sample.js';
import type { CompileOptions } from '../../options.js';
import { createLoader } from '../../runtime/loader.js';
import type { Net } from '../../runtime/net.js';
import type { Model } from './calibrate.js';
import { feed } from './observe.js';

/** Compiles a network and loads it here. */
export async function openNet(model: Model, options: CompileOptions): Promise<Net> {
  const { wasm, report } = await compile(model, options);
  return createLoader(report.name, () => '').loadSync(wasm as Uint8Array<ArrayBuffer>);
}

/** Runs a network on a sample; its real outputs in order, which the next run overwrites. */
export function outputsOf(net: Net, sample: Sample): Float32Array[] {
  feed(net, sample);
  net.runInPlace();
  return net.outputs.flatMap(({ name, dtype }) => (dtype === 'f32' ? [net.output(name) as Float32Array] : []));
}
