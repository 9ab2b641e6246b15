import { exp } from '../../quant/math.js';
import type { Local, Stmt, V128 } from '../builder/expr.js';
import type { FunctionBuilder } from '../builder/function.js';
import type { KernelDef } from '../kernel.js';
import { eachVector, sumLanes, tailMask } from './lane-sums.js';
import { type Stream, storeReals } from './lanes.js';
import { emitExp } from './math.js';

/**
 * Softmax of contiguous f32 rows [rows][n]: exp(x - max) / sum. The sum is taken in four lanes in index order, then
 * over the lanes in order. Arguments: [source, target], byte addresses, which may be equal.
 */
export interface SoftmaxParams {
  readonly rows: number;
  readonly n: number;
}

/** The largest element of a row in all lanes of `max`. */
function rowMax(f: FunctionBuilder, n: number, source: Local<'i32'>, max: Local<'v128'>): Stmt[] {
  const larger = (v: V128): Stmt => max.set(f.op('f32x4', 'pmax', max, v));
  const lowest = f.splatF32(Number.NEGATIVE_INFINITY);
  const turned = (bytes: number): V128 =>
    f.shuffle(
      max,
      max,
      Array.from({ length: 16 }, (_, i) => (i + bytes) % 16),
    );
  return [
    max.set(lowest),
    ...eachVector(f, n, [source], (count) => {
      const x = f.load(source);
      return [larger(count === 4 ? x : f.select(tailMask(f, count), x, lowest))];
    }),
    larger(turned(8)),
    larger(turned(4)),
  ];
}

function emit(f: FunctionBuilder, p: SoftmaxParams): Stmt[] {
  const source = f.param(0, 'i32');
  const target: Stream = { ptr: f.param(1, 'i32'), storage: 'f32', stride: 1 };
  const [max, sum, value] = f.vectors(3) as [Local<'v128'>, Local<'v128'>, Local<'v128'>];
  const exponentials = eachVector(f, p.n, [source, target.ptr], (count) => {
    const e = emitExp(f, f.op('f32x4', 'sub', f.load(source), max));
    const used = count === 4 ? e.value : f.bitwise('and', e.value, tailMask(f, count));
    return [
      ...e.setup,
      value.set(used),
      sum.set(f.op('f32x4', 'add', sum, value)),
      ...storeReals(f, target, value, 0, count),
    ];
  });
  const quotients = eachVector(f, p.n, [target.ptr], (count) => [
    value.set(f.op('f32x4', 'div', f.load(target.ptr), sum)),
    ...storeReals(f, target, value, 0, count),
  ]);
  return [
    f.repeat(p.rows, [
      ...rowMax(f, p.n, source, max),
      sum.set(f.zero()),
      ...exponentials,
      sum.set(f.splat('f32x4', sumLanes(f, sum))),
      ...quotients,
      f.advance(source, 4 * p.n),
      f.advance(target.ptr, 4 * p.n),
    ]),
  ];
}

const f32 = Math.fround;

function reference(p: SoftmaxParams, memory: ArrayBuffer, [source, target]: readonly number[]): void {
  for (let r = 0; r < p.rows; r++) {
    const x = new Float32Array(memory, source! + 4 * p.n * r, p.n);
    const y = new Float32Array(memory, target! + 4 * p.n * r, p.n);
    const max = x.reduce((m, v) => (m < v ? v : m), Number.NEGATIVE_INFINITY);
    const lanes = [0, 0, 0, 0];
    x.forEach((v, i) => {
      const e = exp(f32(v - max));
      lanes[i % 4] = f32(lanes[i % 4]! + e);
      y[i] = e;
    });
    const sum = lanes.reduce((s, v) => f32(s + v));
    y.forEach((e, i) => {
      y[i] = f32(e / sum);
    });
  }
}

/** Softmax; see `SoftmaxParams`. */
export const softmaxKernel: KernelDef<SoftmaxParams> = {
  name: () => 'f32-softmax-simd',
  signature: () => ({ params: ['i32', 'i32'] }),
  emit,
  reference,
};
