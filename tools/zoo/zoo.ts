import { model } from '../../test/support/onnx.js';
import { calibrate } from './calibrate.js';
import { floatModel } from './float.js';
import type { Network, Scale } from './network.js';
import { quantizedModel, STYLES } from './quantize.js';
import { TOPOLOGIES } from './topologies/index.js';
import { seededParameters } from './weights.js';

/** What the files are called after: NAME.STYLE.onnx. */
export type StyleName = 'fp32' | keyof typeof STYLES;

/** The styles that are written by default. */
export const DEFAULT_STYLES: readonly StyleName[] = ['fp32', 'u8', 's8'];

export interface ZooModel {
  readonly style: StyleName;
  readonly bytes: Uint8Array;
}

/** The layers of a topology by its name. */
export function networkOf(name: string, scale: Scale = {}): Network {
  const topology = TOPOLOGIES[name];
  if (!topology) throw new Error(`no topology ${name}; there are ${Object.keys(TOPOLOGIES).join(', ')}`);
  return topology(scale);
}

/** The ONNX files of a topology, the same bytes every time. */
export async function* generate(
  name: string,
  scale: Scale = {},
  styles: readonly StyleName[] = DEFAULT_STYLES,
): AsyncGenerator<ZooModel> {
  const net = networkOf(name, scale);
  const parameters = seededParameters(net);
  if (styles.includes('fp32')) yield { style: 'fp32', bytes: floatModel(net, parameters) };
  const quantized = styles.filter((style) => style !== 'fp32');
  if (quantized.length === 0) return;
  const ranges = await calibrate(net, parameters);
  for (const style of quantized) {
    const how = STYLES[style];
    if (!how) throw new Error(`no style ${style}; there are fp32, ${Object.keys(STYLES).join(', ')}`);
    yield { style, bytes: model(quantizedModel(net, parameters, ranges, how)) };
  }
}
