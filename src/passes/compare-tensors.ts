import { allocate, type Tensor } from '../ir/tensor.js';
import { isCodes, type Quant, realType, sameQuant, sameShape, sameType, type TensorType } from '../ir/type.js';
import { conform, toReal } from '../quant/tensors.js';
import type { Pass } from './pass.js';

/** Relative to the greatest magnitude of a tensor: what `close` passes may move reals by. */
export const CLOSE = 1e-5;

/** How far from a tie, in quanta, a value still counts as one, besides what CLOSE allows. */
const TIE = 1e-4;

/** The first element where two tensors differ more than they may, and how many do. */
export interface Mismatch {
  readonly index: number;
  readonly before: number;
  readonly after: number;
  readonly count: number;
}

const gridOf = ({ quant }: TensorType): Quant | undefined => quant;

/**
 * A tensor as a value of another type, or null where that loses something that cannot be found again: reals may be
 * rounded to a grid and codes read as reals, but nothing changes its grid.
 */
export function carry(t: Tensor, type: TensorType): Tensor | null {
  if (sameType(t.type, type)) return t;
  const [from, to] = [gridOf(t.type), gridOf(type)];
  if (!sameShape(t.type.shape, type.shape) || (from && to && !sameQuant(from, to))) return null;
  if (!from && !to) return null;
  const reals = toReal(t);
  return to ? conform(reals, type) : { type, data: reals.data };
}

/** Two tensors as reals on one footing: where one has a grid, the other is rounded to it. Null where they have two. */
export function onOneFooting(a: Tensor, b: Tensor): readonly [Tensor, Tensor] | null {
  if (!sameShape(a.type.shape, b.type.shape)) return null;
  const [p, q] = [gridOf(a.type), gridOf(b.type)];
  if (p && q && !sameQuant(p, q)) return null;
  const grid = p ?? q;
  if (!grid) return [a, b];
  const onGrid = (t: Tensor): Tensor => (gridOf(t.type) ? toReal(t) : conform(t, { ...realType(t.type), quant: grid }));
  return [onGrid(a), onGrid(b)];
}

/** Equal bit by bit, 0 and -0 apart from each other only in float; NaN equals NaN. */
export function identical(a: Tensor, b: Tensor): boolean {
  if (a === b || a.data === b.data) return sameType(a.type, b.type);
  if (!sameType(a.type, b.type) || a.data.length !== b.data.length) return false;
  for (let i = 0; i < a.data.length; i++) if (!Object.is(a.data[i], b.data[i])) return false;
  return true;
}

/**
 * Compares what a value was with what it is, as far as `numbers` allows. `unrounded` gives the reals behind values on a
 * grid, for ties. Null where all is well.
 */
export function compareTensors(
  before: Tensor,
  after: Tensor,
  numbers: Pass['numbers'],
  grid: Quant | undefined,
  unrounded: () => Tensor | null,
): Mismatch | null {
  const allowed = numbers === 'exact' ? () => false : allowance(before, grid, unrounded);
  let [count, index] = [0, -1];
  for (let i = 0; i < before.data.length; i++) {
    const [x, y] = [Number(before.data[i]), Number(after.data[i])];
    if (x === y || (Number.isNaN(x) && Number.isNaN(y)) || allowed(i, Math.abs(x - y))) continue;
    if (index < 0) index = i;
    count++;
  }
  if (index < 0) return null;
  return { index, before: Number(before.data[index]), after: Number(after.data[index]), count };
}

/** Whether an element may move by so much under `close`. */
function allowance(
  before: Tensor,
  grid: Quant | undefined,
  unrounded: () => Tensor | null,
): (i: number, difference: number) => boolean {
  if (!grid) {
    const least = CLOSE * magnitude(before);
    return (_, difference) => difference <= least;
  }
  let reals: Tensor | null | undefined;
  let reach = 0;
  return (i, difference) => {
    if (reals === undefined) {
      reals = unrounded();
      reach = reals ? magnitude(reals) : 0;
    }
    const scale = grid.scales[0] as number;
    if (!reals || grid.axis !== null || difference > scale * 1.001) return false;
    const quanta = Number(reals.data[i]) / scale;
    return Math.abs(quanta - Math.floor(quanta) - 0.5) <= (CLOSE * reach) / scale + TIE;
  };
}

function magnitude({ data }: Tensor): number {
  let most = 0;
  for (let i = 0; i < data.length; i++) {
    const v = Math.abs(Number(data[i]));
    if (v > most && Number.isFinite(v)) most = v;
  }
  return most;
}

/** An input that is random, with values at boundaries among it: ends of the grid, ties, zero, far outside. */
export function stimulus(type: TensorType, grid: Quant | undefined, seed: number, boundaryShare: number): Tensor {
  const data = allocate(
    type.dtype,
    type.shape.reduce((a, b) => a * b, 1),
  );
  let state = seed >>> 0;
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const scale = grid?.scales[0] ?? 0.05;
  const zero = grid?.zeroPoints[0] ?? 0;
  const [low, high] = grid ? [(grid.min - zero) * scale, (grid.max - zero) * scale] : [-3, 3];
  const edges = [low, high, 0, -0, low - scale, high + scale, scale / 2, -scale / 2, 1.5 * scale, 4 * high, 4 * low];
  for (let i = 0; i < data.length; i++) {
    const edge = next() < boundaryShare;
    const real = edge ? (edges[Math.floor(next() * edges.length)] as number) : low + (high - low) * next();
    setElement(data, i, type, real, next());
  }
  return { type, data };
}

function setElement(data: Tensor['data'], i: number, type: TensorType, real: number, random: number): void {
  if (type.dtype === 'f32') (data as Float32Array)[i] = real;
  else if (data instanceof BigInt64Array) data[i] = BigInt(Math.floor(random * 2));
  else if (isCodes(type) || type.dtype === 'i8' || type.dtype === 'u8')
    (data as Int8Array)[i] = Math.floor(random * 256) - (type.dtype === 'i8' ? 128 : 0);
  else (data as Int32Array)[i] = Math.floor(random * 2);
}
