import type { Stmt } from '../builder/expr.js';
import type { FunctionBuilder } from '../builder/function.js';
import type { KernelDef } from '../kernel.js';
import { emitElementwise, halves, loadReals, type Stream, storeReals, vectorNest } from './lanes.js';
import { collapse, emitNest, type NestShape, walk } from './nest.js';

/**
 * Maxima over windows, and what a second tensor holds at their places; of equal elements the first counts. Arguments:
 * [source, companion, values, companions], byte addresses of f32. A NaN is taken only in the first place.
 */
export interface WindowMaxParams {
  /** Dimensions of the result: sizes, and element strides of the four tensors. */
  readonly kept: NestShape;
  /** Dimensions of a window: sizes, and element strides of source and companion. */
  readonly window: NestShape;
}

function emit(f: FunctionBuilder, p: WindowMaxParams): Stmt[] {
  const window = collapse(p.window);
  const elements = [f.local('i32'), f.local('i32')];
  const [value, companion, better] = [f.local('v128'), f.local('v128'), f.local('v128')];
  const [best, found] = [f.vectors(2), f.vectors(2)];
  const pointers = elements.map((ptr, i) => ({ ptr, strides: window.strides[i]!.map((s) => 4 * s) }));
  const step = (streams: readonly Stream[], count: number): Stmt[] => {
    const used = halves(count);
    const load = (i: number, half: number, part: number) =>
      loadReals(f, { ...streams[i]!, ptr: elements[i]! }, half, part);
    const turn = used.flatMap(({ half, part }) => [
      value.set(load(0, half, part)),
      companion.set(load(1, half, part)),
      better.set(f.op('f32x4', 'gt', value, best[half]!)),
      best[half]!.set(f.select(better, value, best[half]!)),
      found[half]!.set(f.select(better, companion, found[half]!)),
    ]);
    return [
      ...elements.map((e, i) => e.set(streams[i]!.ptr)),
      ...used.flatMap(({ half, part }) => [
        best[half]!.set(load(0, half, part)),
        found[half]!.set(load(1, half, part)),
      ]),
      emitNest(f, window.dims, pointers, turn),
      ...used.flatMap(({ half, part }) => [
        ...storeReals(f, streams[2]!, best[half]!, half, part),
        ...storeReals(f, streams[3]!, found[half]!, half, part),
      ]),
    ];
  };
  const operands = [0, 1, 2, 3].map((i) => ({ ptr: f.param(i, 'i32'), storage: 'f32' as const }));
  return [emitElementwise(f, vectorNest(collapse(p.kept)), operands, step)];
}

function reference(p: WindowMaxParams, memory: ArrayBuffer, args: readonly number[]): void {
  const data = new Float32Array(memory);
  const [source, companion, values, companions] = args.map((a) => a / 4) as [number, number, number, number];
  walk(p.kept, ([s, c, v, t]) => {
    let [best, found] = [data[source + s!]!, data[companion + c!]!];
    walk(p.window, ([i, j]) => {
      const x = data[source + s! + i!]!;
      if (x > best) [best, found] = [x, data[companion + c! + j!]!];
    });
    data[values + v!] = best;
    data[companions + t!] = found;
  });
}

/** Maxima with a companion; see `WindowMaxParams`. */
export const windowMaxKernel: KernelDef<WindowMaxParams> = {
  name: () => 'f32-window-max-simd',
  signature: () => ({ params: ['i32', 'i32', 'i32', 'i32'] }),
  emit,
  reference,
};
