import { unreachable } from '../../support/errors.js';
import type { F32, I64, Stmt } from '../builder/expr.js';
import type { FunctionBuilder } from '../builder/function.js';
import { type KernelDef, STORAGE_BYTES } from '../kernel.js';

/**
 * Writes rows into a matrix at places that the network computes, one after the other. Arguments: [places, updates,
 * target], byte addresses: int64[count], [count, run] and [rows, run], row-major. Places are limited to the rows.
 */
export interface ScatterParams {
  readonly storage: 'f32' | 'i64';
  /** i64: the bits of the dtype. */
  readonly bits: 32 | 64;
  readonly reduction: 'none' | 'add' | 'mul' | 'min' | 'max';
  readonly count: number;
  readonly rows: number;
  readonly run: number;
}

function combineFloats(f: FunctionBuilder, op: ScatterParams['reduction'], old: F32, x: F32): F32 {
  switch (op) {
    case 'none':
      return x;
    case 'add':
    case 'mul':
      return f.f32Op(op, old, x);
    case 'min':
      return f.choose(f.f32Compare('lt', x, old), x, old);
    case 'max':
      return f.choose(f.f32Compare('gt', x, old), x, old);
    default:
      return unreachable(op);
  }
}

function combineIntegers(f: FunctionBuilder, op: ScatterParams['reduction'], old: I64, x: I64): I64 {
  switch (op) {
    case 'none':
      return x;
    case 'add':
    case 'mul':
      return f.i64Op(op, old, x);
    case 'min':
      return f.choose(f.i64Compare('lt_s', x, old), x, old);
    case 'max':
      return f.choose(f.i64Compare('gt_s', x, old), x, old);
    default:
      return unreachable(op);
  }
}

function emit(f: FunctionBuilder, p: ScatterParams): Stmt[] {
  const [places, updates, target] = [f.param(0, 'i32'), f.param(1, 'i32'), f.param(2, 'i32')];
  const [place, row] = [f.local('i64'), f.local('i32')];
  const bytes = STORAGE_BYTES[p.storage];
  const [least, most] = [f.i64(0n), f.i64(BigInt(p.rows - 1))];
  const raised = f.choose(f.i64Compare('lt_s', place, least), least, place);
  const cut = (v: I64): I64 => (p.bits === 64 ? v : f.extendI32(f.lowI32(v)));
  const store =
    p.storage === 'f32'
      ? f.storeF32(row, combineFloats(f, p.reduction, f.loadF32(row), f.loadF32(updates)))
      : f.storeI64(row, cut(combineIntegers(f, p.reduction, f.loadI64(row), f.loadI64(updates))));
  return [
    f.repeat(p.count, [
      place.set(f.loadI64(places)),
      place.set(f.choose(f.i64Compare('gt_s', place, most), most, raised)),
      row.set(f.add(target, f.mul(f.lowI32(place), p.run * bytes))),
      f.repeat(p.run, [store, f.advance(row, bytes), f.advance(updates, bytes)]),
      f.advance(places, 8),
    ]),
  ];
}

/** An update of one element. */
export function applyScatter<T extends number | bigint>(op: ScatterParams['reduction'], old: T, x: T): number | bigint {
  const [a, b] = [old, x] as [number, number];
  if (op === 'add') return a + b;
  if (op === 'mul') return a * b;
  if (op === 'min') return b < a ? b : a;
  return op === 'max' ? (b > a ? b : a) : b;
}

function reference(p: ScatterParams, memory: ArrayBuffer, args: readonly number[]): void {
  const view = new DataView(memory);
  for (let i = 0; i < p.count; i++) {
    const place = view.getBigInt64(args[0]! + 8 * i, true);
    const row = Number(place < 0n ? 0n : place >= BigInt(p.rows) ? BigInt(p.rows - 1) : place);
    for (let j = 0; j < p.run; j++) {
      const [from, to] = [
        args[1]! + STORAGE_BYTES[p.storage] * (i * p.run + j),
        args[2]! + STORAGE_BYTES[p.storage] * (row * p.run + j),
      ];
      if (p.storage === 'f32') {
        const v = applyScatter(p.reduction, view.getFloat32(to, true), view.getFloat32(from, true));
        view.setFloat32(to, v as number, true);
      } else {
        const v = applyScatter(p.reduction, view.getBigInt64(to, true), view.getBigInt64(from, true)) as bigint;
        view.setBigInt64(to, BigInt.asIntN(p.bits, v), true);
      }
    }
  }
}

/** Writes at computed places; see `ScatterParams`. */
export const scatterKernel: KernelDef<ScatterParams> = {
  name: (p) => `${p.storage}-scatter-${p.reduction}-scalar`,
  signature: () => ({ params: ['i32', 'i32', 'i32'] }),
  emit,
  reference,
};
