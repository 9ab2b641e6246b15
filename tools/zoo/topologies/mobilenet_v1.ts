import { type Network, NetworkBuilder, type Scale } from '../network.js';

/** Filters and stride of the depthwise separable blocks. */
const BLOCKS: readonly (readonly [number, number])[] = [
  [64, 1],
  [128, 2],
  [128, 1],
  [256, 2],
  [256, 1],
  [512, 2],
  [512, 1],
  [512, 1],
  [512, 1],
  [512, 1],
  [512, 1],
  [1024, 2],
  [1024, 1],
];

/** MobileNet-V1 (Howard et al. 2017), padded as TensorFlow does. */
export function mobilenetV1(scale?: Scale): Network {
  const net = new NetworkBuilder(scale);
  const activation = 'relu6';
  let x = net.conv(net.input, net.channels(32), 3, { stride: 2, activation });
  for (const [filters, stride] of BLOCKS) {
    x = net.depthwise(x, 3, { stride, activation });
    x = net.conv(x, net.channels(filters), 1, { activation });
  }
  return net.done('mobilenet_v1', net.classifier(x));
}
