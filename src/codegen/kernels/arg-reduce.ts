import type { Stmt, V128 } from '../builder/expr.js';
import type { FunctionBuilder } from '../builder/function.js';
import type { KernelDef } from '../kernel.js';
import { emitElementwise, halves, loadReals, type Stream, storeReals, vectorNest } from './lanes.js';
import { collapse, type NestShape, walk } from './nest.js';
import type { ReduceKept } from './reduce.js';

/**
 * The place of the greatest or least f32 along one dimension, as a float. Arguments: [source, target], byte addresses,
 * which must not overlap. Of equal elements the first counts, or the `last`. A NaN is taken only in the first place.
 */
export interface ArgReduceParams {
  readonly op: 'max' | 'min';
  readonly last: boolean;
  /** Dimensions of the output, outermost first. */
  readonly kept: readonly ReduceKept[];
  /** The reduced dimension: its size, and element stride. */
  readonly size: number;
  readonly step: number;
}

const keptShape = (p: ArgReduceParams): NestShape =>
  collapse({
    dims: p.kept.map((d) => d.size),
    strides: [p.kept.map((d) => d.source), p.kept.map((d) => d.target)],
  });

/** Every lane is an output of its own. */
function emit(f: FunctionBuilder, p: ArgReduceParams): Stmt[] {
  const [element, best, index, value] = [f.local('i32'), f.vectors(2), f.vectors(2), f.local('v128')];
  const count = f.local('v128');
  const one = f.local('v128');
  const better = (a: V128, b: V128): V128 => {
    const name = p.op === 'max' ? (p.last ? 'ge' : 'gt') : p.last ? 'le' : 'lt';
    return f.op('f32x4', name, a, b);
  };
  const step = (source: Stream, target: Stream, n: number): Stmt[] => {
    const used = halves(n);
    const load = (half: number, part: number): V128 => loadReals(f, { ...source, ptr: element }, half, part);
    const turn = used.flatMap(({ half, part }) => [
      value.set(load(half, part)),
      index[half]!.set(f.select(better(value, best[half]!), count, index[half]!)),
      best[half]!.set(f.select(better(value, best[half]!), value, best[half]!)),
    ]);
    return [
      element.set(source.ptr),
      count.set(f.zero()),
      ...used.flatMap(({ half, part }) => [best[half]!.set(load(half, part)), index[half]!.set(f.zero())]),
      f.repeat(p.size - 1, [f.advance(element, 4 * p.step), count.set(f.op('f32x4', 'add', count, one)), ...turn]),
      ...used.flatMap(({ half, part }) => storeReals(f, target, index[half]!, half, part)),
    ];
  };
  const operands = [0, 1].map((i) => ({ ptr: f.param(i, 'i32'), storage: 'f32' as const }));
  const shape = vectorNest(keptShape(p));
  return [one.set(f.splatF32(1)), emitElementwise(f, shape, operands, ([s, t], n) => step(s!, t!, n))];
}

function reference(p: ArgReduceParams, memory: ArrayBuffer, args: readonly number[]): void {
  const data = new Float32Array(memory);
  const [s0, t0] = [args[0]! / 4, args[1]! / 4];
  const better = (a: number, b: number): boolean => (p.op === 'max' ? a > b : a < b) || (p.last && a === b);
  walk(keptShape(p), ([s, t]) => {
    let best = 0;
    const at = (i: number): number => data[s0 + s! + i * p.step]!;
    for (let i = 1; i < p.size; i++) if (better(at(i), at(best))) best = i;
    data[t0 + t!] = best;
  });
}

/** Places of extremes; see `ArgReduceParams`. */
export const argReduceKernel: KernelDef<ArgReduceParams> = {
  name: (p) => `f32-arg-${p.op}-simd`,
  signature: () => ({ params: ['i32', 'i32'] }),
  emit,
  reference,
};
