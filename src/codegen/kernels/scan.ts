import type { Stmt } from '../builder/expr.js';
import type { FunctionBuilder } from '../builder/function.js';
import { type KernelDef, STORAGE_BYTES } from '../kernel.js';
import { emitElementwise, halves, loadReals, type Stream, storeReals, vectorNest } from './lanes.js';
import { collapse, emitNest, type NestShape, walk } from './nest.js';

/**
 * Running sums along one dimension of a strided nest. Arguments: [source, target], byte addresses, of the element at
 * which the sums start. `exclusive` leaves the element itself out. i64: the low `bits` with their sign.
 */
export interface ScanParams {
  readonly storage: 'f32' | 'i64';
  readonly bits: 32 | 64;
  readonly exclusive: boolean;
  /** The other dimensions: sizes, and element strides of source and target. */
  readonly kept: NestShape;
  readonly size: number;
  /** Element strides along the dimension, negative for sums from its end. */
  readonly steps: readonly [number, number];
}

/** Every lane is a row of its own. */
function emitFloats(f: FunctionBuilder, p: ScanParams): Stmt[] {
  const [from, to, value] = [f.local('i32'), f.local('i32'), f.local('v128')];
  const sums = f.vectors(2);
  const step = ([source, target]: readonly Stream[], count: number): Stmt[] => {
    const used = halves(count);
    const turn = used.flatMap(({ half, part }) => {
      const sum = sums[half]!;
      const add = sum.set(f.op('f32x4', 'add', sum, value));
      const store = storeReals(f, { ...target!, ptr: to }, sum, half, part);
      const load = value.set(loadReals(f, { ...source!, ptr: from }, half, part));
      return p.exclusive ? [load, ...store, add] : [load, add, ...store];
    });
    return [
      from.set(source!.ptr),
      to.set(target!.ptr),
      ...used.map(({ half }) => sums[half]!.set(f.zero())),
      f.repeat(p.size, [...turn, f.advance(from, 4 * p.steps[0]), f.advance(to, 4 * p.steps[1])]),
    ];
  };
  const operands = [0, 1].map((i) => ({ ptr: f.param(i, 'i32'), storage: 'f32' as const }));
  return [emitElementwise(f, vectorNest(collapse(p.kept)), operands, step)];
}

function emitIntegers(f: FunctionBuilder, p: ScanParams): Stmt[] {
  const kept = collapse(p.kept);
  const pointers = kept.strides.map((list, i) => ({ ptr: f.param(i, 'i32'), strides: list.map((s) => 8 * s) }));
  const [from, to] = [f.local('i32'), f.local('i32')];
  const [sum, value] = [f.local('i64'), f.local('i64')];
  const total = f.i64Op('add', sum, value);
  const add = sum.set(p.bits === 64 ? total : f.extendI32(f.lowI32(total)));
  const store = f.storeI64(to, sum);
  const body = [
    from.set(pointers[0]!.ptr),
    to.set(pointers[1]!.ptr),
    sum.set(f.i64(0n)),
    f.repeat(p.size, [
      value.set(f.loadI64(from)),
      ...(p.exclusive ? [store, add] : [add, store]),
      f.advance(from, 8 * p.steps[0]),
      f.advance(to, 8 * p.steps[1]),
    ]),
  ];
  return [emitNest(f, kept.dims, pointers, body)];
}

function reference(p: ScanParams, memory: ArrayBuffer, args: readonly number[]): void {
  const view = new DataView(memory);
  const bytes = STORAGE_BYTES[p.storage];
  walk(p.kept, ([s, t]) => {
    let sum = 0;
    let whole = 0n;
    for (let i = 0; i < p.size; i++) {
      const from = args[0]! + bytes * (s! + i * p.steps[0]);
      const to = args[1]! + bytes * (t! + i * p.steps[1]);
      if (p.storage === 'f32') {
        const next = Math.fround(sum + view.getFloat32(from, true));
        view.setFloat32(to, p.exclusive ? sum : next, true);
        sum = next;
      } else {
        const next = BigInt.asIntN(p.bits, whole + view.getBigInt64(from, true));
        view.setBigInt64(to, p.exclusive ? whole : next, true);
        whole = next;
      }
    }
  });
}

/** Running sums; see `ScanParams`. */
export const scanKernel: KernelDef<ScanParams> = {
  name: (p) => `${p.storage}-scan-${p.storage === 'f32' ? 'simd' : 'scalar'}`,
  signature: () => ({ params: ['i32', 'i32'] }),
  emit: (f, p) => (p.storage === 'f32' ? emitFloats(f, p) : emitIntegers(f, p)),
  reference,
};
