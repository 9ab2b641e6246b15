import { type Network, NetworkBuilder, type Scale } from '../network.js';

/** Squeezed and expanded (per branch) filters of the fire modules, or a pool between them. */
const MODULES: readonly (readonly [number, number] | 'pool')[] = [
  'pool',
  [16, 64],
  [16, 64],
  'pool',
  [32, 128],
  [32, 128],
  'pool',
  [48, 192],
  [48, 192],
  [64, 256],
  [64, 256],
];

/** A fire module: 1x1 squeeze, then 1x1 and 3x3 branches that are concatenated. */
function fire(net: NetworkBuilder, x: string, squeeze: number, expand: number): string {
  const options = { activation: 'relu', batchNorm: false } as const;
  const squeezed = net.conv(x, net.channels(squeeze), 1, options);
  return net.concat([
    net.conv(squeezed, net.channels(expand), 1, options),
    net.conv(squeezed, net.channels(expand), 3, { ...options, pad: 1 }),
  ]);
}

/** SqueezeNet 1.1 (Iandola et al. 2016, torchvision's variant): no batch normalization, a convolution classifies. */
export function squeezenet1_1(scale?: Scale): Network {
  const net = new NetworkBuilder(scale);
  const options = { activation: 'relu', batchNorm: false, pad: 0 } as const;
  let x = net.conv(net.input, net.channels(64), 3, { ...options, stride: 2 });
  for (const module of MODULES) x = module === 'pool' ? net.maxPool(x, 3, 2, { ceil: true }) : fire(net, x, ...module);
  x = net.conv(x, net.classes, 1, options);
  return net.done('squeezenet1_1', net.flatten(net.globalAveragePool(x)));
}
