import type { Local, Stmt, V128 } from '../builder/expr.js';
import type { FunctionBuilder } from '../builder/function.js';
import type { KernelDef } from '../kernel.js';
import { emitElementwise, halves, loadReals, type Stream, storeReals, vectorNest } from './lanes.js';
import { collapse, type NestShape, walk } from './nest.js';

/**
 * The k greatest or least f32 along one dimension, in order, and their places as floats; of equal elements the first
 * comes first. Arguments: [source, values, places], byte addresses, which must not overlap. NaN is never taken: where
 * too few others are there, the place is -1.
 */
export interface TopKParams {
  readonly largest: boolean;
  readonly k: number;
  /** The other dimensions: sizes, and element strides of source, values and places. */
  readonly kept: NestShape;
  readonly size: number;
  /** Element strides along the dimension: of source, values and places. */
  readonly steps: readonly [number, number, number];
}

/** The state of four outputs: what was taken last, and the best that comes behind it. */
interface Search {
  readonly last: Local<'v128'>;
  readonly lastPlace: Local<'v128'>;
  readonly best: Local<'v128'>;
  readonly place: Local<'v128'>;
}

/** Each turn takes the best element that comes behind the last one taken: every lane is a row of its own. */
function emit(f: FunctionBuilder, p: TopKParams): Stmt[] {
  const [element, values, places] = [f.local('i32'), f.local('i32'), f.local('i32')];
  const [value, count] = [f.local('v128'), f.local('v128')];
  const searches = [0, 1].map(
    (): Search => ({
      last: f.local('v128'),
      lastPlace: f.local('v128'),
      best: f.local('v128'),
      place: f.local('v128'),
    }),
  );
  const [worse, better] = p.largest ? (['lt', 'gt'] as const) : (['gt', 'lt'] as const);
  const compare = (name: 'lt' | 'gt' | 'eq', a: V128, b: V128): V128 => f.op('f32x4', name, a, b);
  const take = (s: Search): Stmt[] => {
    const behindEqual = f.bitwise('and', compare('eq', value, s.last), compare('gt', count, s.lastPlace));
    const behind = f.bitwise('or', compare(worse, value, s.last), behindEqual);
    const ahead = f.bitwise('or', compare(better, value, s.best), compare('lt', s.place, f.zero()));
    const chosen = f.local('v128');
    return [
      chosen.set(f.bitwise('and', behind, ahead)),
      s.best.set(f.select(chosen, value, s.best)),
      s.place.set(f.select(chosen, count, s.place)),
    ];
  };
  const step = ([source, toValues, toPlaces]: readonly Stream[], n: number): Stmt[] => {
    const used = halves(n).map((h) => ({ ...h, s: searches[h.half]! }));
    const turn = used.flatMap(({ half, part, s }) => [
      value.set(loadReals(f, { ...source!, ptr: element }, half, part)),
      ...take(s),
    ]);
    const first = p.largest ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
    return [
      values.set(toValues!.ptr),
      places.set(toPlaces!.ptr),
      ...used.flatMap(({ s }) => [s.last.set(f.splatF32(first)), s.lastPlace.set(f.splatF32(-1))]),
      f.repeat(p.k, [
        element.set(source!.ptr),
        count.set(f.zero()),
        ...used.flatMap(({ s }) => [s.best.set(f.zero()), s.place.set(f.splatF32(-1))]),
        f.repeat(p.size, [
          ...turn,
          f.advance(element, 4 * p.steps[0]),
          count.set(f.op('f32x4', 'add', count, f.splatF32(1))),
        ]),
        ...used.flatMap(({ half, part, s }) => [
          ...storeReals(f, { ...toValues!, ptr: values }, s.best, half, part),
          ...storeReals(f, { ...toPlaces!, ptr: places }, s.place, half, part),
          s.last.set(s.best),
          s.lastPlace.set(s.place),
        ]),
        f.advance(values, 4 * p.steps[1]),
        f.advance(places, 4 * p.steps[2]),
      ]),
    ];
  };
  const operands = [0, 1, 2].map((i) => ({ ptr: f.param(i, 'i32'), storage: 'f32' as const }));
  return [emitElementwise(f, vectorNest(collapse(p.kept)), operands, step)];
}

function reference(p: TopKParams, memory: ArrayBuffer, args: readonly number[]): void {
  const data = new Float32Array(memory);
  const [s0, v0, i0] = args.map((a) => a / 4) as [number, number, number];
  const sign = p.largest ? 1 : -1;
  walk(p.kept, ([s, v, i]) => {
    const row = Array.from({ length: p.size }, (_, n) => ({ x: data[s0 + s! + n * p.steps[0]]!, n }));
    const order = row.filter(({ x }) => !Number.isNaN(x)).sort((a, b) => sign * (b.x - a.x) || a.n - b.n);
    for (let j = 0; j < p.k; j++) {
      data[v0 + v! + j * p.steps[1]] = order[j]?.x ?? 0;
      data[i0 + i! + j * p.steps[2]] = order[j]?.n ?? -1;
    }
  });
}

/** The greatest or least elements; see `TopKParams`. */
export const topKKernel: KernelDef<TopKParams> = {
  name: () => 'f32-top-k-simd',
  signature: () => ({ params: ['i32', 'i32', 'i32'] }),
  emit,
  reference,
};
