import { type Network, NetworkBuilder, type Scale } from '../network.js';
import { invertedResidual } from './inverted-residual.js';

/** Expansion, filters, repetitions, stride of the first. */
const STAGES: readonly (readonly [number, number, number, number])[] = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
];

/** MobileNet-V2 (Sandler et al. 2018), padded on all sides as torchvision does. */
export function mobilenetV2(scale?: Scale): Network {
  const net = new NetworkBuilder(scale);
  let x = net.conv(net.input, net.channels(32), 3, { stride: 2, pad: 1, activation: 'relu6' });
  for (const [expansion, filters, repetitions, first] of STAGES)
    for (let i = 0; i < repetitions; i++)
      x = invertedResidual(net, x, { expansion, filters, kernel: 3, stride: i === 0 ? first : 1, pad: 1 });
  x = net.conv(x, net.channels(1280), 1, { activation: 'relu6' });
  return net.done('mobilenet_v2', net.classifier(x));
}
