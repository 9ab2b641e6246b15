import type { NetworkBuilder } from '../network.js';

/** One inverted residual block of MobileNet-V2 and its descendants. */
export interface InvertedResidual {
  readonly filters: number;
  readonly expansion: number;
  readonly kernel: number;
  readonly stride: number;
  readonly pad: 'same' | number;
}

/** Expansion by 1x1, depthwise, linear projection; with a shortcut where input and result have one shape. */
export function invertedResidual(net: NetworkBuilder, x: string, block: InvertedResidual): string {
  const { expansion, kernel, stride, pad } = block;
  const activation = 'relu6';
  const [channels] = net.shape(x) as [number];
  const filters = net.channels(block.filters);
  const shortcut = stride === 1 && channels === filters;
  const expanded = expansion === 1 ? x : net.conv(x, channels * expansion, 1, { activation });
  const filtered = net.depthwise(expanded, kernel, { stride, pad, activation });
  const projected = net.conv(filtered, filters, 1, { variance: shortcut ? 0.3 : 1 });
  return shortcut ? net.add(x, projected) : projected;
}
