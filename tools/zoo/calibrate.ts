import { compile } from '../../src/index.js';
import { createLoader } from '../../src/runtime/loader.js';
import { floatModel } from './float.js';
import type { Layer, Network } from './network.js';
import { seededImage } from './random.js';
import type { NetworkParameters } from './weights.js';

/** Least and greatest value of a tensor; 0 lies between them. */
export type Range = readonly [number, number];

/** The range of every tensor, by name. */
export type Ranges = Readonly<Record<string, Range>>;

const IMAGES = 4;
const FIRST_SEED = 1000;

/** Digits that are kept of a range, so that the last bits of float sums do not show in the scales. */
const DIGITS = 4;

const rounded = (value: number): number => Number(value.toPrecision(DIGITS));

/** Runs the float network on some seeded images and records what every tensor holds. */
export async function calibrate(network: Network, parameters: NetworkParameters): Promise<Ranges> {
  const { wasm } = await compile(floatModel(network, parameters, { batchNorm: false, expose: true }));
  const net = await createLoader(network.name, () => '').load(wasm as Uint8Array<ArrayBuffer>);
  const ranges: Record<string, [number, number]> = {};
  const record = (name: string, values: Float32Array): void => {
    const range = ranges[name] ?? [0, 0];
    ranges[name] = range;
    for (const v of values) {
      if (v < range[0]) range[0] = v;
      if (v > range[1]) range[1] = v;
    }
  };
  for (let i = 0; i < IMAGES; i++) {
    const image = seededImage(network.shapes.input as number[], FIRST_SEED + i);
    record('input', image);
    for (const [name, values] of Object.entries(net.run({ input: image }))) record(name, values as Float32Array);
  }
  return Object.fromEntries(Object.entries(ranges).map(([name, [low, high]]) => [name, [rounded(low), rounded(high)]]));
}

const union = (ranges: readonly Range[]): Range => [
  Math.min(...ranges.map((r) => r[0])),
  Math.max(...ranges.map((r) => r[1])),
];

/** Gives the tensors on both sides of layers that keep codes one range. Shared ranges may run through several layers. */
export function share(net: Network, ranges: Ranges, keepsCodes: (layer: Layer) => boolean): Ranges {
  const shared: Record<string, Range> = { ...ranges };
  const joined = net.layers.filter(keepsCodes).map((layer) => [...layer.inputs, layer.name]);
  for (let changed = true; changed; ) {
    changed = false;
    for (const names of joined) {
      const range = union(names.map((name) => shared[name] as Range));
      for (const name of names) {
        changed ||= `${shared[name]}` !== `${range}`;
        shared[name] = range;
      }
    }
  }
  return shared;
}
