import { assert } from '../../support/errors.js';
import type { PoolParams } from './pool.js';

/** What windows along one axis cover: equal for `outputs` neighbouring outputs. */
export interface WindowGroup {
  readonly outputs: number;
  /** First element of the window of the group's first output that lies in the image, as input coordinate. */
  readonly start: number;
  /** Index of that element within the window, and how many lie in the image. */
  readonly first: number;
  readonly count: number;
  /** How many elements an average divides by along this axis. */
  readonly counted: number;
}

/** The windows along axis 0 (y) or 1 (x), grouped by what they cover. */
export function windowGroups(p: PoolParams, axis: 0 | 1): WindowGroup[] {
  const size = axis === 0 ? p.height : p.width;
  const outputs = axis === 0 ? p.outHeight : p.outWidth;
  const [window, stride, dilation, pad, padEnd] = [
    p.window[axis],
    p.stride[axis],
    p.dilation[axis],
    p.pads[axis],
    p.pads[axis + 2]!,
  ];
  const groups: WindowGroup[] = [];
  for (let o = 0; o < outputs; o++) {
    const positions = Array.from({ length: window }, (_, k) => o * stride - pad + k * dilation);
    const inside = positions.filter((x) => x >= 0 && x < size);
    assert(inside.length > 0, 'a pooling window lies outside of the image');
    const counted = p.countIncludePad ? positions.filter((x) => x < size + padEnd).length : inside.length;
    const group = {
      outputs: 1,
      start: inside[0]!,
      first: positions.indexOf(inside[0]!),
      count: inside.length,
      counted,
    };
    const last = groups.at(-1);
    if (last && last.first === group.first && last.count === group.count && last.counted === counted)
      groups[groups.length - 1] = { ...last, outputs: last.outputs + 1 };
    else groups.push(group);
  }
  return groups;
}
