import type { Local, Stmt, V128 } from '../builder/expr.js';
import type { FunctionBuilder } from '../builder/function.js';
import type { KernelDef } from '../kernel.js';
import { tailMask } from './lane-sums.js';
import { emitElementwise, halves, loadReals, type Stream, storeReals, vectorNest } from './lanes.js';
import { collapse, emitNest, type NestShape, outerNest, walk } from './nest.js';

/**
 * Reductions of f32 over some dimensions of a strided nest. Arguments: [source, target], byte addresses, which must
 * not overlap. `mean` is the sum divided by f32(count). max and min ignore NaN.
 *
 * The order of a sum: the reduced dimensions as given; where `reducesLanes(params)` in four lanes instead, element i
 * of the innermost contiguous run in lane i % 4, then the lanes in order.
 */
export interface ReduceParams {
  readonly op: 'sum' | 'mean' | 'max' | 'min' | 'prod';
  /** Dimensions of the output, outermost first. */
  readonly kept: readonly ReduceKept[];
  /** Reduced dimensions, in the order of the sum. */
  readonly reduced: readonly ReduceAxis[];
}

/** A dimension that vanishes. */
export interface ReduceAxis {
  readonly size: number;
  /** Element stride of the source. */
  readonly source: number;
}

/** A dimension that stays. */
export interface ReduceKept extends ReduceAxis {
  /** Element stride of the target. */
  readonly target: number;
}

const keptShape = (p: ReduceParams): NestShape =>
  collapse({
    dims: p.kept.map((d) => d.size),
    strides: [p.kept.map((d) => d.source), p.kept.map((d) => d.target)],
  });

const reducedShape = (p: ReduceParams): NestShape =>
  collapse({ dims: p.reduced.map((d) => d.size), strides: [p.reduced.map((d) => d.source)] });

const countOf = (p: ReduceParams): number => p.reduced.reduce((n, d) => n * d.size, 1);

/** Whether the source is contiguous along the innermost reduced dimension and along no kept one. */
export const reducesLanes = (p: ReduceParams): boolean =>
  reducedShape(p).strides[0]!.at(-1) === 1 && !keptShape(p).strides[0]!.includes(1);

const START = { sum: 0, mean: 0, max: Number.NEGATIVE_INFINITY, min: Number.POSITIVE_INFINITY, prod: 1 } as const;
const VECTOR_OP = { sum: 'add', mean: 'add', max: 'pmax', min: 'pmin', prod: 'mul' } as const;

const bytes = (strides: readonly number[]): number[] => strides.map((s) => 4 * s);

/** Divides sums of means. */
function finish(f: FunctionBuilder, p: ReduceParams, acc: Local<'v128'>): Stmt[] {
  return p.op === 'mean' ? [acc.set(f.op('f32x4', 'div', acc, f.splatF32(countOf(p))))] : [];
}

/** Vectors along a kept dimension: every lane is an output of its own. */
function emitOutputs(f: FunctionBuilder, p: ReduceParams): Stmt[] {
  const reduced = reducedShape(p);
  const element = f.local('i32');
  const accumulators = f.vectors(2);
  const step = (source: Stream, target: Stream, count: number): Stmt[] => {
    const used = halves(count);
    const combine = used.map(({ half, part }) => {
      const value = loadReals(f, { ...source, ptr: element }, half, part);
      return accumulators[half]!.set(f.op('f32x4', VECTOR_OP[p.op], accumulators[half]!, value));
    });
    return [
      ...used.map(({ half }) => accumulators[half]!.set(f.splatF32(START[p.op]))),
      element.set(source.ptr),
      emitNest(f, reduced.dims, [{ ptr: element, strides: bytes(reduced.strides[0]!) }], combine),
      ...used.flatMap(({ half, part }) => [
        ...finish(f, p, accumulators[half]!),
        ...storeReals(f, target, accumulators[half]!, half, part),
      ]),
    ];
  };
  const operands = [0, 1].map((i) => ({ ptr: f.param(i, 'i32'), storage: 'f32' as const }));
  return [emitElementwise(f, vectorNest(keptShape(p)), operands, ([s, t], count) => step(s!, t!, count))];
}

/** Vectors along the innermost reduced dimension: one output at a time. */
function emitLanes(f: FunctionBuilder, p: ReduceParams): Stmt[] {
  const [kept, reduced] = [keptShape(p), reducedShape(p)];
  const outer = outerNest(reduced);
  const n = reduced.dims.at(-1)!;
  const [source, target] = [f.param(0, 'i32'), f.param(1, 'i32')];
  const element = f.local('i32');
  const acc = f.local('v128');
  const combine = (v: V128): Stmt => acc.set(f.op('f32x4', VECTOR_OP[p.op], acc, v));
  const tail = n % 4;
  const run = [f.repeat(Math.floor(n / 4), [combine(f.load(element)), f.advance(element, 16)])];
  if (tail) run.push(combine(f.select(tailMask(f, tail), f.load(element), f.splatF32(START[p.op]))));
  // lane 0 collects the others in order
  const lane = (i: number): V128 => f.splat('f32x4', f.extractF32(acc, i));
  const total = f.local('v128');
  const fold = [1, 2, 3].map((i) => total.set(f.op('f32x4', VECTOR_OP[p.op], total, lane(i))));
  const body = [
    acc.set(f.splatF32(START[p.op])),
    element.set(source),
    emitNest(f, outer.dims, [{ ptr: element, strides: bytes(outer.strides[0]!), moved: 4 * (n - tail) }], run),
    total.set(acc),
    ...fold,
    ...finish(f, p, total),
    f.storeLane(32, target, total, 0),
  ];
  const pointers = [source, target].map((ptr, i) => ({ ptr, strides: bytes(kept.strides[i]!) }));
  return [emitNest(f, kept.dims, pointers, body)];
}

const f32 = Math.fround;

function reference(p: ReduceParams, memory: ArrayBuffer, args: readonly number[]): void {
  const data = new Float32Array(memory);
  const [s0, t0] = [args[0]! / 4, args[1]! / 4];
  const combine = {
    sum: (a: number, v: number) => f32(a + v),
    mean: (a: number, v: number) => f32(a + v),
    max: (a: number, v: number) => (a < v ? v : a),
    min: (a: number, v: number) => (v < a ? v : a),
    prod: (a: number, v: number) => f32(a * v),
  }[p.op];
  const reduced = reducedShape(p);
  const lanes = reducesLanes(p);
  walk(keptShape(p), ([s, t]) => {
    const sums = [START[p.op], START[p.op], START[p.op], START[p.op]] as number[];
    let index = 0;
    walk(reduced, ([r]) => {
      const lane = lanes ? (index++ % reduced.dims.at(-1)!) % 4 : 0;
      sums[lane] = combine(sums[lane]!, data[s0 + s! + r!]!);
    });
    const total = lanes ? sums.reduce(combine) : sums[0]!;
    data[t0 + t!] = p.op === 'mean' ? f32(total / countOf(p)) : total;
  });
}

/** Reductions; see `ReduceParams`. */
export const reduceKernel: KernelDef<ReduceParams> = {
  name: (p) => `f32-reduce-${p.op}-simd`,
  signature: () => ({ params: ['i32', 'i32'] }),
  emit: (f, p) => (reducesLanes(p) ? emitLanes(f, p) : emitOutputs(f, p)),
  reference,
};
