import type { InferInput } from '../ir/op.js';
import { rowMajorStrides, type Tensor } from '../ir/tensor.js';
import { sizeOf, type TensorType } from '../ir/type.js';
import { type Contraction, contractReals } from './contraction.js';
import { asInputs, realTypeOf, show, tensorAt } from './shapes.js';

/** Attributes of convolutions over any number of spatial dimensions: pads are [...before, ...after]. */
export type GeneralConvAttrs = {
  readonly strides: readonly number[];
  readonly pads: readonly number[];
  readonly dilations: readonly number[];
  readonly groups: number;
  /** The transposed convolution; its weights are [C, M / groups, ...]. */
  readonly transposed: boolean;
  /** Transposed only: what is added at the end of each dimension. */
  readonly outputPads: readonly number[];
};

/** x among zeros: its extents, where its first element lies (may be negative: cut), and how far they are apart. */
export interface Spread {
  readonly shape: readonly number[];
  readonly before: readonly number[];
  readonly steps: readonly number[];
}

const at = (list: readonly number[], d: number): number => list[d] as number;

/** The extents of the result's image. Source: ONNX Conv and ConvTranspose. */
function spatialOutput(a: GeneralConvAttrs, x: readonly number[], w: readonly number[]): number[] {
  return x.slice(2).map((size, d) => {
    const reach = at(a.dilations, d) * (at(w, d + 2) - 1) + 1;
    const pads = at(a.pads, d) + at(a.pads, d + x.length - 2);
    const n = a.transposed
      ? at(a.strides, d) * (size - 1) + at(a.outputPads, d) + reach - pads
      : Math.floor((size + pads - reach) / at(a.strides, d)) + 1;
    if (n < 1) throw new Error(`a window of ${show(w.slice(2))} does not fit into ${show(x.slice(2))}`);
    return n;
  });
}

/** How x is spread, so that every window lies inside: with borders, transposed with zeros between its elements too. */
export function spreadOf(a: GeneralConvAttrs, x: readonly number[], w: readonly number[]): Spread {
  const out = spatialOutput(a, x, w);
  const reach = (d: number): number => at(a.dilations, d) * (at(w, d + 2) - 1);
  const extents = out.map((n, d) => (a.transposed ? n : (n - 1) * at(a.strides, d) + 1) + reach(d));
  const before = out.map((_, d) => (a.transposed ? reach(d) - at(a.pads, d) : at(a.pads, d)));
  return {
    shape: [at(x, 0), at(x, 1), ...extents],
    before: [0, 0, ...before],
    steps: [1, 1, ...out.map((_, d) => (a.transposed ? at(a.strides, d) : 1))],
  };
}

/** The elements of a dimension that lie inside after spreading: [first, past the last). */
export function keptRange({ shape, before, steps }: Spread, d: number, size: number): [number, number] {
  const first = Math.max(0, Math.ceil(-at(before, d) / at(steps, d)));
  const past = Math.floor((at(shape, d) - 1 - at(before, d)) / at(steps, d)) + 1;
  return [first, Math.max(first, Math.min(size, past))];
}

/** Filters of a convolution with weights of a shape. */
const filtersOf = (a: GeneralConvAttrs, w: readonly number[]): number =>
  a.transposed ? at(w, 1) * a.groups : at(w, 0);

/** The element of the weights under the first tap: transposed, the taps run backwards. */
export const firstTap = (a: GeneralConvAttrs, w: readonly number[], strides: readonly number[]): number =>
  a.transposed ? w.slice(2).reduce((sum, k, d) => sum + (k - 1) * at(strides, d + 2), 0) : 0;

/** The sums of products: strides of x as it is spread, of the weights, and of the result; a bias per filter. */
export function convNests(
  a: GeneralConvAttrs,
  shapes: { readonly x: readonly number[]; readonly w: readonly number[]; readonly out: readonly number[] },
  strides: { readonly x: readonly number[]; readonly w: readonly number[]; readonly out: readonly number[] },
  hasBias: boolean,
): Contraction {
  const { x, w, out } = strides;
  const channels = at(shapes.x, 1) / a.groups;
  const filters = filtersOf(a, shapes.w) / a.groups;
  const image = shapes.out.slice(2).map((_, d) => d);
  const [wIn, wOut, sign] = a.transposed ? [at(w, 0), at(w, 1), -1] : [at(w, 1), at(w, 0), 1];
  const wGroup = a.transposed ? channels * at(w, 0) : filters * at(w, 0);
  const step = (d: number): number => (a.transposed ? 1 : at(a.strides, d)) * at(x, d + 2);
  const bias = hasBias ? [0, filters, 1] : [0, 0, 0];
  return {
    kept: {
      dims: [at(shapes.out, 0), a.groups, filters, ...shapes.out.slice(2)],
      strides: [
        [at(x, 0), channels * at(x, 1), 0, ...image.map(step)],
        [0, wGroup, wOut, ...image.map(() => 0)],
        [...bias, ...image.map(() => 0)],
        [at(out, 0), filters * at(out, 1), at(out, 1), ...out.slice(2)],
      ],
    },
    reduced: {
      dims: [channels, ...shapes.w.slice(2)],
      strides: [
        [at(x, 1), ...image.map((d) => at(a.dilations, d) * at(x, d + 2))],
        [wIn, ...image.map((d) => sign * at(w, d + 2))],
      ],
    },
  };
}

/** x [N, C, ...], w [M, C / groups, ...] (transposed [C, M / groups, ...]), bias [M] -> [N, M, ...]. */
export function inferGeneralConv(a: GeneralConvAttrs, inputs: readonly (InferInput | null)[]): TensorType[] {
  const [x, w] = [realTypeOf(inputs, 0).shape, realTypeOf(inputs, 1).shape];
  const spatial = x.length - 2;
  const lists: [readonly number[], number, number][] = [
    [a.strides, spatial, 1],
    [a.dilations, spatial, 1],
    [a.pads, 2 * spatial, Number.NEGATIVE_INFINITY],
    [a.outputPads, a.transposed ? spatial : 0, 0],
  ];
  if (spatial < 1 || w.length !== x.length) throw new Error(`convolution of ${show(x)} with ${show(w)}`);
  for (const [list, length, least] of lists)
    if (list.length !== length || list.some((v) => !Number.isInteger(v) || v < least))
      throw new Error(`${show(list)}: ${length} numbers expected, one per dimension`);
  const [channels, filters] = [at(x, 1), filtersOf(a, w)];
  const fits = a.transposed ? at(w, 0) === channels : at(w, 1) * a.groups === channels;
  if (a.groups < 1 || !fits || channels % a.groups !== 0 || filters % a.groups !== 0)
    throw new Error(`weights ${show(w)} do not fit ${channels} channels in ${a.groups} groups`);
  const bias = inputs[2]?.type.shape;
  if (bias && (bias.length !== 1 || bias[0] !== filters)) throw new Error(`bias ${show(bias)} for ${filters} channels`);
  return [{ dtype: 'f32', shape: [at(x, 0), filters, ...spatialOutput(a, x, w)] }];
}

/** Row-major x as it is spread. */
function spreadData(spread: Spread, x: Tensor): Float64Array {
  const data = new Float64Array(sizeOf(spread.shape));
  const [from, to] = [rowMajorStrides(x.type.shape), rowMajorStrides(spread.shape)];
  const fill = (d: number, source: number, target: number): void => {
    if (d === from.length) {
      data[target] = x.data[source] as number;
      return;
    }
    const [first, past] = keptRange(spread, d, at(x.type.shape, d));
    for (let i = first; i < past; i++)
      fill(d + 1, source + i * at(from, d), target + (i * at(spread.steps, d) + at(spread.before, d)) * at(to, d));
  };
  fill(0, 0, 0);
  return data;
}

/** The float reference. */
export function referenceGeneralConv(a: GeneralConvAttrs, inputs: readonly (Tensor | null)[]): Tensor[] {
  const [x, w] = [tensorAt(inputs, 0), tensorAt(inputs, 1)];
  const bias = inputs[2]?.data as Float32Array | undefined;
  const [type] = inferGeneralConv(a, asInputs(inputs)) as [TensorType];
  const spread = spreadOf(a, x.type.shape, w.type.shape);
  const shapes = { x: x.type.shape, w: w.type.shape, out: type.shape };
  const strides = { x: spread.shape, w: w.type.shape, out: type.shape };
  const rows = { x: rowMajorStrides(strides.x), w: rowMajorStrides(strides.w), out: rowMajorStrides(strides.out) };
  const nests = convNests(a, shapes, rows, bias !== undefined);
  const from = firstTap(a, w.type.shape, rows.w);
  const operands = [spreadData(spread, x), w.data as Float32Array] as const;
  const sums = contractReals(nests, [operands[0], 0], [operands[1], from], bias ?? null, sizeOf(type.shape));
  return [{ type, data: Float32Array.from(sums) }];
}

/** Products of a convolution, those with padding included. */
export const generalConvMacs = (
  a: GeneralConvAttrs,
  inputs: readonly (TensorType | null)[],
  output: TensorType,
): number => {
  const w = (inputs[1] as TensorType).shape;
  return (sizeOf(output.shape) * sizeOf(w)) / filtersOf(a, w);
};
