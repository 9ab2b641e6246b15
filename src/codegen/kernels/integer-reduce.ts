import type { I64, Stmt } from '../builder/expr.js';
import type { FunctionBuilder } from '../builder/function.js';
import type { KernelDef } from '../kernel.js';
import { applyIntegerBinary } from './integers.js';
import { collapse, emitNest, type NestShape, walk } from './nest.js';
import type { ReduceAxis, ReduceKept } from './reduce.js';

/**
 * Reductions of 64-bit integers over some dimensions of a strided nest: the low `bits` of the exact result, with their
 * sign. Arguments: [source, target], byte addresses, which must not overlap. Over no elements, max and min are the
 * least and greatest integer.
 */
export interface IntegerReduceParams {
  readonly op: 'sum' | 'max' | 'min' | 'prod';
  readonly bits: 32 | 64;
  /** Dimensions of the output, outermost first. */
  readonly kept: readonly ReduceKept[];
  /** Reduced dimensions. */
  readonly reduced: readonly ReduceAxis[];
}

const keptShape = (p: IntegerReduceParams): NestShape =>
  collapse({
    dims: p.kept.map((d) => d.size),
    strides: [p.kept.map((d) => d.source), p.kept.map((d) => d.target)],
  });

const reducedShape = (p: IntegerReduceParams): NestShape =>
  collapse({ dims: p.reduced.map((d) => d.size), strides: [p.reduced.map((d) => d.source)] });

/** The operation of two integers behind each reduction. */
export const INTEGER_OP = { sum: 'add', prod: 'mul', max: 'max', min: 'min' } as const;

/** What a reduction starts from. */
export function integerStart(op: IntegerReduceParams['op'], bits: 32 | 64): bigint {
  const limit = 2n ** BigInt(bits - 1);
  return { sum: 0n, prod: 1n, max: -limit, min: limit - 1n }[op];
}

const bytes = (strides: readonly number[]): number[] => strides.map((s) => 8 * s);

function emit(f: FunctionBuilder, p: IntegerReduceParams): Stmt[] {
  const [kept, reduced] = [keptShape(p), reducedShape(p)];
  const [source, target] = [f.param(0, 'i32'), f.param(1, 'i32')];
  const [element, total, value] = [f.local('i32'), f.local('i64'), f.local('i64')];
  const combined: Record<typeof p.op, I64> = {
    sum: f.i64Op('add', total, value),
    prod: f.i64Op('mul', total, value),
    max: f.choose(f.i64Compare('lt_s', total, value), value, total),
    min: f.choose(f.i64Compare('lt_s', value, total), value, total),
  };
  const turn = [value.set(f.loadI64(element)), total.set(combined[p.op])];
  const result = p.bits === 64 ? total : f.extendI32(f.lowI32(total));
  const body = [
    total.set(f.i64(integerStart(p.op, p.bits))),
    element.set(source),
    emitNest(f, reduced.dims, [{ ptr: element, strides: bytes(reduced.strides[0]!) }], turn),
    f.storeI64(target, result),
  ];
  const pointers = [source, target].map((ptr, i) => ({ ptr, strides: bytes(kept.strides[i]!) }));
  return [emitNest(f, kept.dims, pointers, body)];
}

function reference(p: IntegerReduceParams, memory: ArrayBuffer, args: readonly number[]): void {
  const data = new DataView(memory);
  walk(keptShape(p), ([s, t]) => {
    let total = integerStart(p.op, p.bits);
    walk(reducedShape(p), ([r]) => {
      const value = data.getBigInt64(args[0]! + 8 * (s! + r!), true);
      total = BigInt.asIntN(64, applyIntegerBinary(INTEGER_OP[p.op], total, value));
    });
    data.setBigInt64(args[1]! + 8 * t!, BigInt.asIntN(p.bits, total), true);
  });
}

/** Reductions of integers; see `IntegerReduceParams`. */
export const integerReduceKernel: KernelDef<IntegerReduceParams> = {
  name: (p) => `i${p.bits}-reduce-${p.op}-scalar`,
  signature: () => ({ params: ['i32', 'i32'] }),
  emit,
  reference,
};
