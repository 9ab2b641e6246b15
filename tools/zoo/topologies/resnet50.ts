import { type Network, NetworkBuilder, type Scale } from '../network.js';

/** Filters of the bottleneck, repetitions, stride of the first block. */
const STAGES: readonly (readonly [number, number, number])[] = [
  [64, 3, 1],
  [128, 4, 2],
  [256, 6, 2],
  [512, 3, 2],
];

const EXPANSION = 4;

/** A bottleneck block; v1.5 has its stride in the 3x3 convolution. */
function bottleneck(net: NetworkBuilder, x: string, filters: number, stride: number, project: boolean): string {
  const activation = 'relu';
  const out = net.channels(filters * EXPANSION);
  const reduced = net.conv(x, net.channels(filters), 1, { activation });
  const filtered = net.conv(reduced, net.channels(filters), 3, { stride, pad: 1, activation });
  const expanded = net.conv(filtered, out, 1, { variance: 0.3 });
  const shortcut = project ? net.conv(x, out, 1, { stride, pad: 0 }) : x;
  return net.add(expanded, shortcut, activation);
}

/** ResNet-50 v1.5 (He et al. 2015, stride placement of torchvision). */
export function resnet50(scale?: Scale): Network {
  const net = new NetworkBuilder(scale);
  let x = net.conv(net.input, net.channels(64), 7, { stride: 2, pad: 3, activation: 'relu' });
  x = net.maxPool(x, 3, 2, { pad: 1 });
  for (const [filters, repetitions, first] of STAGES)
    for (let i = 0; i < repetitions; i++) x = bottleneck(net, x, filters, i === 0 ? first : 1, i === 0);
  return net.done('resnet50', net.classifier(x));
}
