import type { Stmt } from '../builder/expr.js';
import type { FunctionBuilder } from '../builder/function.js';
import type { KernelDef } from '../kernel.js';
import { collapse, emitNest, type NestShape, walk } from './nest.js';

/**
 * The k greatest or least 64-bit integers along one dimension, in order, and their places; of equal elements the first
 * comes first, or the `last`. Arguments: [source, values, places], byte addresses of 64-bit integers. k <= size.
 */
export interface IntegerTopKParams {
  readonly largest: boolean;
  readonly last: boolean;
  readonly k: number;
  /** The other dimensions: sizes, and element strides of source, values and places. */
  readonly kept: NestShape;
  readonly size: number;
  /** Element strides along the dimension: of source, values and places. */
  readonly steps: readonly [number, number, number];
}

/** Each turn takes the best element that comes behind the last one taken. */
function emit(f: FunctionBuilder, p: IntegerTopKParams): Stmt[] {
  const kept = collapse(p.kept);
  const pointers = kept.strides.map((list, i) => ({ ptr: f.param(i, 'i32'), strides: list.map((s) => 8 * s) }));
  const [element, values, places] = [f.local('i32'), f.local('i32'), f.local('i32')];
  const [value, taken, best] = [f.local('i64'), f.local('i64'), f.local('i64')];
  const [place, takenPlace, bestPlace] = [f.local('i32'), f.local('i32'), f.local('i32')];
  const ahead = (a: typeof value, b: typeof value) =>
    p.largest ? f.i64Compare('gt_s', a, b) : f.i64Compare('lt_s', a, b);
  const none = f.i32(-1);
  const same = (a: typeof value, b: typeof value) => f.i64Compare('eq', a, b);
  const later = p.last ? f.ltS(place, takenPlace) : f.ltS(takenPlace, place);
  const free = f.choose(ahead(taken, value), f.i32(1), f.choose(same(taken, value), later, f.i32(0)));
  // at equal values the first place stays, or the last replaces it
  const beats = f.choose(ahead(value, best), f.i32(1), p.last ? same(value, best) : f.i32(0));
  const wins = f.choose(f.ltS(bestPlace, 0), f.i32(1), beats);
  const any = f.choose(f.ltS(takenPlace, 0), f.i32(1), free);
  const row = [
    values.set(pointers[1]!.ptr),
    places.set(pointers[2]!.ptr),
    takenPlace.set(none),
    f.repeat(p.k, [
      element.set(pointers[0]!.ptr),
      place.set(f.i32(0)),
      bestPlace.set(none),
      f.repeat(p.size, [
        value.set(f.loadI64(element)),
        f.when(f.choose(any, wins, f.i32(0)), [best.set(value), bestPlace.set(place)]),
        f.advance(element, 8 * p.steps[0]),
        place.set(f.add(place, 1)),
      ]),
      f.storeI64(values, best),
      f.storeI64(places, f.extendI32(bestPlace)),
      taken.set(best),
      takenPlace.set(bestPlace),
      f.advance(values, 8 * p.steps[1]),
      f.advance(places, 8 * p.steps[2]),
    ]),
  ];
  return [emitNest(f, kept.dims, pointers, row)];
}

function reference(p: IntegerTopKParams, memory: ArrayBuffer, args: readonly number[]): void {
  const data = new DataView(memory);
  const sign = p.largest ? -1 : 1;
  walk(p.kept, ([s, v, i]) => {
    const at = (n: number): number => args[0]! + 8 * (s! + n * p.steps[0]);
    const row = Array.from({ length: p.size }, (_, n) => ({ x: data.getBigInt64(at(n), true), n }));
    row.sort((a, b) => (a.x < b.x ? -sign : a.x > b.x ? sign : (p.last ? -1 : 1) * (a.n - b.n)));
    row.slice(0, p.k).forEach(({ x, n }, j) => {
      data.setBigInt64(args[1]! + 8 * (v! + j * p.steps[1]), x, true);
      data.setBigInt64(args[2]! + 8 * (i! + j * p.steps[2]), BigInt(n), true);
    });
  });
}

/** The greatest or least integers; see `IntegerTopKParams`. */
export const integerTopKKernel: KernelDef<IntegerTopKParams> = {
  name: () => 'i64-top-k-scalar',
  signature: () => ({ params: ['i32', 'i32', 'i32'] }),
  emit,
  reference,
};
