import { compile } from '../../compile.js';
import type { CompileOptions } from '../../options.js';
import { createLoader } from '../../runtime/loader.js';
import type { Net } from '../../runtime/net.js';
import type { Model } from './calibrate.js';

/** A compiled network whose outputs can be read as reals. */
export interface OpenNet {
  readonly net: Net;
  /** An output or tapped value of the last run; reals are a view that the next run overwrites. */
  reals(name: string): Float32Array;
}

/** Compiles a network and loads it here. */
export async function openNet(model: Model, options: CompileOptions): Promise<OpenNet> {
  const { wasm, report } = await compile(model, options);
  const net = createLoader(report.name, () => '').loadSync(wasm as Uint8Array<ArrayBuffer>);
  const infos = new Map((report.entries[0]?.outputs ?? []).map((info) => [info.name, info]));
  return {
    net,
    reals(name) {
      const data = net.output(name) as Float32Array;
      const { dtype, scale, zeroPoint = 0 } = infos.get(name) ?? {};
      if (dtype === 'f32') return data;
      return Float32Array.from(data, (code) => (Number(code) - zeroPoint) * (scale ?? 1));
    },
  };
}
