import { type Network, NetworkBuilder, type Scale } from '../network.js';
import { invertedResidual } from './inverted-residual.js';

/** Expansion, filters, repetitions, stride of the first, kernel. */
const STAGES: readonly (readonly [number, number, number, number, number])[] = [
  [1, 16, 1, 1, 3],
  [6, 24, 2, 2, 3],
  [6, 40, 2, 2, 5],
  [6, 80, 3, 2, 3],
  [6, 112, 3, 1, 5],
  [6, 192, 4, 2, 5],
  [6, 320, 1, 1, 3],
];

/** EfficientNet-lite0: EfficientNet-B0 without squeeze and excitation, relu6 for swish; padded as TensorFlow does. */
export function efficientnetLite0(scale?: Scale): Network {
  const net = new NetworkBuilder(scale);
  let x = net.conv(net.input, net.channels(32), 3, { stride: 2, activation: 'relu6' });
  for (const [expansion, filters, repetitions, first, kernel] of STAGES)
    for (let i = 0; i < repetitions; i++)
      x = invertedResidual(net, x, { expansion, filters, kernel, stride: i === 0 ? first : 1, pad: 'same' });
  x = net.conv(x, net.channels(1280), 1, { activation: 'relu6' });
  return net.done('efficientnet_lite0', net.classifier(x));
}
