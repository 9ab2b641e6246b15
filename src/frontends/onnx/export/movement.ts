import type { DType } from '../../../ir/type.js';
import { list, type NodeExporter, same } from './node-export.js';
import { elementOf } from './writer.js';

/** A place before the start, for slices that run backwards. */
const BEFORE_START = -(2 ** 31);

const slice: NodeExporter = (n) => {
  const [axes, starts, counts, steps] = ['axes', 'starts', 'counts', 'steps'].map((name) => list(n.attrs, name)) as [
    readonly number[],
    readonly number[],
    readonly number[],
    readonly number[],
  ];
  const ends = starts.map((start, i) => {
    const end = start + (counts[i] as number) * (steps[i] as number);
    return end < 0 ? BEFORE_START : end;
  });
  n.w.node('Slice', [n.in(0), n.w.ints(starts), n.w.ints(ends), n.w.ints(axes), n.w.ints(steps)], {}, n.outs[0]);
};

const pad: NodeExporter = (n) => {
  const { mode, value } = n.attrs as { mode: string; value: number };
  const pads = n.w.ints([...list(n.attrs, 'before'), ...list(n.attrs, 'after')]);
  const fill = mode === 'constant' ? [n.w.float(value)] : [];
  n.w.node('Pad', [n.in(0), pads, ...fill], { mode }, n.outs[0]);
};

const resize: NodeExporter = (n) => {
  const { mode, coordinates, nearest, cubic, excludeOutside } = n.attrs;
  const crops = coordinates === 'tf_crop_and_resize';
  const roi = crops ? n.w.floats([...list(n.attrs, 'starts'), ...list(n.attrs, 'ends')]) : '';
  const scales = list(n.attrs, 'scales');
  const { shape } = n.type(0);
  const exact = scales.every((s, d) => Math.floor((shape[d] as number) * s) === list(n.attrs, 'sizes')[d]);
  const extents = exact ? [n.w.floats(scales)] : ['', n.w.ints(list(n.attrs, 'sizes'))];
  const attrs = {
    mode: mode as string,
    coordinate_transformation_mode: coordinates as string,
    nearest_mode: nearest as string,
    cubic_coeff_a: { float: Number(cubic) },
    exclude_outside: excludeOutside ? 1 : 0,
  };
  n.w.node('Resize', [n.in(0), roi, ...extents], attrs, n.outs[0]);
};

const topK: NodeExporter = (n) => {
  const { axis, k, largest } = n.attrs as { axis: number; k: number; largest: boolean };
  n.w.multi('TopK', [n.in(0), n.w.ints([k])], { axis, largest: largest ? 1 : 0 }, n.outs);
};

const cumsum: NodeExporter = (n) => {
  const { axis, exclusive, reverse } = n.attrs as { axis: number; exclusive: boolean; reverse: boolean };
  const flags = { exclusive: exclusive ? 1 : 0, reverse: reverse ? 1 : 0 };
  n.w.node('CumSum', [n.in(0), n.w.ints([axis])], flags, n.outs[0]);
};

/** Rows at places: ScatterND with indices of one number. */
const scatter: NodeExporter = (n) => {
  const places = n.w.node('Reshape', [n.in(1), n.w.ints([n.type(1).shape[0] as number, 1])]);
  n.w.node('ScatterND', [n.in(0), places, n.in(2)], { reduction: n.attrs.reduction as string }, n.outs[0]);
};

const withInts =
  (type: string, name: string): NodeExporter =>
  (n) =>
    void n.w.node(type, [n.in(0), n.w.ints(list(n.attrs, name))], {}, n.outs[0]);

const blocks =
  (type: string): NodeExporter =>
  (n) => {
    const { size, blockFirst } = n.attrs as { size: number; blockFirst: boolean };
    const mode = type === 'DepthToSpace' ? { mode: blockFirst ? 'DCR' : 'CRD' } : {};
    n.w.node(type, [n.in(0)], { blocksize: size, ...mode }, n.outs[0]);
  };

const arg =
  (type: string): NodeExporter =>
  (n) => {
    const { axis, keepDims, last } = n.attrs as { axis: number; keepDims: boolean; last: boolean };
    n.w.node(type, [n.in(0)], { axis, keepdims: keepDims ? 1 : 0, select_last_index: last ? 1 : 0 }, n.outs[0]);
  };

const reduce =
  (type: string): NodeExporter =>
  (n) => {
    const keepdims = n.attrs.keepDims ? 1 : 0;
    n.w.node(type, [n.in(0), n.w.ints(list(n.attrs, 'axes'))], { keepdims }, n.outs[0]);
  };

/** Ops that move, select, repeat or sum up elements. */
export const MOVEMENT: Readonly<Record<string, NodeExporter>> = {
  assign: same('Identity'),
  reshape2: withInts('Reshape', 'shape'),
  expand: withInts('Expand', 'shape'),
  tile: withInts('Tile', 'repeats'),
  transpose2: same('Transpose', (a) => ({ perm: list(a, 'perm') })),
  concat: same('Concat', (a) => ({ axis: a.axis as number })),
  gather: same('Gather', (a) => ({ axis: a.axis as number })),
  where: same('Where'),
  slice,
  pad,
  nearest_interp: resize,
  linear_interp: resize,
  depth_to_space: blocks('DepthToSpace'),
  space_to_depth: blocks('SpaceToDepth'),
  cast: same('Cast', (a) => ({ to: elementOf(a.to as DType) })),
  shape: same('Shape'),
  top_k: topK,
  cumsum,
  scatter,
  arg_max: arg('ArgMax'),
  arg_min: arg('ArgMin'),
  reduce_mean: reduce('ReduceMean'),
  reduce_sum: reduce('ReduceSum'),
  reduce_max: reduce('ReduceMax'),
  reduce_min: reduce('ReduceMin'),
  reduce_prod: reduce('ReduceProd'),
};
