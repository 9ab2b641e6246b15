import { type CompileResult, compile } from '../../compile.js';
import type { Sample } from '../../data/sample.js';
import { CODE_RANGE } from '../../ir/type.js';
import type { CompileOptions } from '../../options.js';
import type { TensorInfo } from '../../runtime/abi.js';
import { createLoader } from '../../runtime/loader.js';
import type { Net, TypedArray } from '../../runtime/net.js';
import type { ModelFiles } from '../../support/model-files.js';
import { feedsOf, rolesOf, unitsPerRun } from '../evaluate/feeds.js';
import type { GridRange } from './statistics.js';

/** A compiled network that gives its tensors as reals. */
export interface Network {
  readonly result: CompileResult;
  readonly net: Net;
  /** Outputs and tapped values, by name. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** Runs one sample. */
  run(sample: Sample): ReadonlyMap<string, ArrayLike<number>>;
}

/** Compiles a model and loads it here. */
export async function openNetwork(model: Uint8Array | ModelFiles, options: CompileOptions): Promise<Network> {
  const result = await compile(model, { ...options, inline: false, debug: false });
  const net = createLoader(options.name ?? 'model', () => '').loadSync(result.wasm as Uint8Array<ArrayBuffer>);
  const tensors = new Map((result.report.entries[0]?.outputs ?? []).map((info) => [info.name, info]));
  const roles = rolesOf(net.inputs);
  return {
    result,
    net,
    tensors,
    run(sample) {
      const feeds = feedsOf(roles, [sample], unitsPerRun(roles, sample));
      const outputs = net.run(feeds as Record<string, TypedArray>); // none is a picture: it was compiled here
      return new Map([...tensors].map(([name, info]) => [name, realsOf(info, outputs[name] as ArrayLike<number>)]));
    },
  };
}

/** Codes as the reals behind them; reals as they are. */
function realsOf({ dtype, scale, zeroPoint = 0 }: TensorInfo, data: ArrayLike<number>): ArrayLike<number> {
  if (scale === undefined || dtype === 'f32') return data;
  return Float32Array.from({ length: data.length }, (_, i) => (Number(data[i]) - zeroPoint) * scale);
}

/** The grid of a tensor of codes with one scale. */
export function gridRange({ dtype, scale, zeroPoint = 0 }: TensorInfo): GridRange | undefined {
  if (scale === undefined || (dtype !== 'i8' && dtype !== 'u8')) return undefined;
  const [min, max] = CODE_RANGE[dtype];
  return { low: (min - zeroPoint) * scale, high: (max - zeroPoint) * scale, scale };
}
