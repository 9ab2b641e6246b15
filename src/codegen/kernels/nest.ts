import type { Local, Stmt } from '../builder/expr.js';
import type { FunctionBuilder } from '../builder/function.js';

/** A loop nest: sizes, outermost first, and one list of strides per pointer. */
export interface NestShape {
  readonly dims: readonly number[];
  readonly strides: readonly (readonly number[])[];
}

/**
 * The same nest with as few dimensions as possible: sizes of 1 are dropped, and neighbours are merged where every
 * pointer runs through both with one stride. The order of the iterations stays. A single iteration has no dimensions.
 */
export function collapse(shape: NestShape): NestShape {
  const dims: number[] = [];
  const strides: number[][] = shape.strides.map(() => []);
  shape.dims.forEach((size, i) => {
    if (size === 1) return;
    const last = dims.length - 1;
    const merges = last >= 0 && shape.strides.every((s, p) => strides[p]![last] === s[i]! * size);
    if (merges) dims[last]! *= size;
    else dims.push(size);
    shape.strides.forEach((s, p) => {
      strides[p]![dims.length - 1] = s[i]!;
    });
  });
  return { dims, strides };
}

/** The nest with dimension `index` moved innermost. */
export function moveInner(shape: NestShape, index: number): NestShape {
  const move = (list: readonly number[]): number[] => [...list.filter((_, i) => i !== index), list[index]!];
  return { dims: move(shape.dims), strides: shape.strides.map(move) };
}

/** All but the innermost dimension, collapsed. */
export const outerNest = (shape: NestShape): NestShape =>
  collapse({ dims: shape.dims.slice(0, -1), strides: shape.strides.map((s) => s.slice(0, -1)) });

/** A dimension along which a nest is cut, and how many of its indices stay together. */
export interface NestCut {
  readonly axis: number;
  readonly unit: number;
}

/** Fewer indices than this of a dimension are no choice of parts. */
const FEW = 4;
/** Neighbours that are not torn apart: vectors stay whole, and threads write different cache lines. */
const NEIGHBOURS = 64;

/**
 * Where a nest is cut into parts for different threads: the outermost dimension that is long enough and not the one of
 * neighbours in memory (of the last pointer), else the longest.
 */
export function cutOf({ dims, strides }: NestShape): NestCut {
  const target = strides.at(-1)!;
  const outer = dims.findIndex((n, d) => n >= FEW && target[d] !== 1);
  const axis = outer >= 0 ? outer : dims.indexOf(Math.max(...dims));
  return { axis, unit: target[axis] === 1 ? NEIGHBOURS : 1 };
}

/** Sizes of a part of a nest that was cut. */
export const partDims = (dims: readonly number[], { axis, unit }: NestCut, first: number, count: number): number[] =>
  dims.map((n, d) => (d === axis ? Math.min(count * unit, n - first * unit) : n));

/** Calls `visit` with the offset of every pointer, in the order of the loops. */
export function walk(shape: NestShape, visit: (offsets: readonly number[]) => void): void {
  const { dims, strides } = shape;
  const offsets = strides.map(() => 0);
  const step = (d: number): void => {
    if (d === dims.length) {
      visit(offsets);
      return;
    }
    const size = dims[d]!;
    for (let i = 0; i < size; i++) {
      step(d + 1);
      for (let p = 0; p < strides.length; p++) offsets[p]! += strides[p]![d]!;
    }
    for (let p = 0; p < strides.length; p++) offsets[p]! -= strides[p]![d]! * size;
  };
  step(0);
}

/** A pointer that a loop nest advances. */
export interface NestPointer {
  readonly ptr: Local<'i32'>;
  /** Bytes per step of each dimension. */
  readonly strides: readonly number[];
  /** Bytes by which one run of the body moves the pointer itself. */
  readonly moved?: number;
}

/**
 * Runs the body for every index of the nest with the pointers at its elements. Afterwards the pointers are somewhere
 * else. Strides are in bytes.
 */
export function emitNest(
  f: FunctionBuilder,
  dims: readonly number[],
  pointers: readonly NestPointer[],
  body: readonly Stmt[],
): Stmt {
  const moved = pointers.map((p) => p.moved ?? 0);
  let inner = body;
  for (let d = dims.length - 1; d >= 0; d--) {
    const size = dims[d]!;
    const steps = pointers.map((p, i) => f.advance(p.ptr, p.strides[d]! - moved[i]!));
    inner = [f.repeat(size, [...inner, ...steps])];
    pointers.forEach((p, i) => {
      moved[i] = p.strides[d]! * size;
    });
  }
  return f.seq(inner);
}
