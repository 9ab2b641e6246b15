import type { Value } from '../ir/graph.js';
import type { ImportContext } from './import-context.js';

/** A tensor with spatial dimensions, at least two of them, and the lists of its node to match. */
export interface Image {
  readonly value: Value;
  /** Spatial dimensions of the source. */
  readonly rank: number;
  /** A list per spatial dimension as [vertical, horizontal]. */
  pair(list: readonly number[], vertical: number): number[];
  /** Pads as [top, left, bottom, right]. */
  pads(list: readonly number[]): number[];
  /** A result without the dimension that was added. */
  restore(y: Value): Value;
}

/** Convolutions and pools over one dimension run over images of height 1; those over more stay as they are. */
export function asImage(context: ImportContext, x: Value): Image {
  const { shape } = x.type;
  if (shape.length < 3) throw new Error(`${context.type} on a tensor of rank ${shape.length}`);
  if (shape.length > 3)
    return {
      value: x,
      rank: shape.length - 2,
      pair: (list) => [...list],
      pads: (list) => [...list],
      restore: (y) => y,
    };
  const [n, c, width] = shape as [number, number, number];
  return {
    value: context.add('reshape2', { shape: [n, c, 1, width] }, [x]),
    rank: 1,
    pair: (list, vertical) => [vertical, list.at(-1) as number],
    pads: (list) => (list.length === 4 ? [...list] : [0, list[0] as number, 0, list[1] as number]),
    restore: (y) => context.add('reshape2', { shape: y.type.shape.filter((_, d) => d !== 2) }, [y]),
  };
}
