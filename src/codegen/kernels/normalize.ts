import type { Local, Stmt, V128 } from '../builder/expr.js';
import type { FunctionBuilder } from '../builder/function.js';
import type { KernelDef } from '../kernel.js';
import { eachVector, sumLanes, tailMask } from './lane-sums.js';
import { type Stream, storeReals } from './lanes.js';

/**
 * Contiguous f32 rows [rows][n] to mean 0 and variance 1: (x - mean) / sqrt(mean((x - mean)^2) + epsilon). Sums are taken
 * in four lanes in index order, then over the lanes in order. Arguments: [source, target, epsilon f32]; byte addresses,
 * which may be equal.
 */
export interface NormalizeParams {
  readonly rows: number;
  readonly n: number;
}

function emit(f: FunctionBuilder, p: NormalizeParams): Stmt[] {
  const [source, target, epsilon] = [f.param(0, 'i32'), f.param(1, 'i32'), f.param(2, 'f32')];
  const out: Stream = { ptr: target, storage: 'f32', stride: 1 };
  const [mean, scale, sum, value] = [f.local('v128'), f.local('v128'), f.local('v128'), f.local('v128')];
  const op = (name: 'add' | 'sub' | 'mul' | 'div', a: V128, b: V128): V128 => f.op('f32x4', name, a, b);
  /** Adds a function of the elements over the row, and divides by their number. */
  const average = (result: Local<'v128'>, of: (x: V128) => Stmt): Stmt[] => [
    sum.set(f.zero()),
    ...eachVector(f, p.n, [source], (count) => [
      of(f.load(source)),
      ...(count === 4 ? [] : [value.set(f.bitwise('and', value, tailMask(f, count)))]),
      sum.set(op('add', sum, value)),
    ]),
    result.set(op('div', f.splat('f32x4', sumLanes(f, sum)), f.splatF32(p.n))),
  ];
  const square = f.local('v128');
  return [
    f.repeat(p.rows, [
      ...average(mean, (x) => value.set(x)),
      ...average(scale, (x) => f.seq([square.set(op('sub', x, mean)), value.set(op('mul', square, square))])),
      scale.set(f.unary('f32x4', 'sqrt', op('add', scale, f.splat('f32x4', epsilon)))),
      ...eachVector(f, p.n, [source, target], (count) => [
        value.set(op('div', op('sub', f.load(source), mean), scale)),
        ...storeReals(f, out, value, 0, count),
      ]),
      f.advance(source, 4 * p.n),
      f.advance(target, 4 * p.n),
    ]),
  ];
}

const f32 = Math.fround;

function reference(p: NormalizeParams, memory: ArrayBuffer, [source, target, epsilon]: readonly number[]): void {
  for (let r = 0; r < p.rows; r++) {
    const x = new Float32Array(memory, source! + 4 * p.n * r, p.n);
    const y = new Float32Array(memory, target! + 4 * p.n * r, p.n);
    const average = (of: (v: number) => number): number => {
      const lanes = [0, 0, 0, 0];
      x.forEach((v, i) => {
        lanes[i % 4] = f32(lanes[i % 4]! + of(v));
      });
      return f32(lanes.reduce((s, v) => f32(s + v)) / p.n);
    };
    const mean = average((v) => v);
    const variance = average((v) => f32(f32(v - mean) * f32(v - mean)));
    const scale = f32(Math.sqrt(f32(variance + f32(epsilon!))));
    x.forEach((v, i) => {
      y[i] = f32(f32(v - mean) / scale);
    });
  }
}

/** Normalization of rows; see `NormalizeParams`. */
export const normalizeKernel: KernelDef<NormalizeParams> = {
  name: () => 'f32-normalize-simd',
  signature: () => ({ params: ['i32', 'i32', 'f32'] }),
  emit,
  reference,
};
