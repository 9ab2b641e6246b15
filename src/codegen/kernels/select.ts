import type { Stmt } from '../builder/expr.js';
import type { FunctionBuilder } from '../builder/function.js';
import { type KernelDef, STORAGE_BYTES } from '../kernel.js';
import { emitElementwise, halves, loadReals, storeReals, vectorNest } from './lanes.js';
import { collapse, walk } from './nest.js';

/**
 * target = condition is not 0 ? a : b, in f32, over a strided nest. Arguments: [condition, a, b, target], byte addresses.
 * The target may equal an operand with the same strides.
 */
export interface SelectParams {
  /** Sizes of the nest, outermost first. */
  readonly dims: readonly number[];
  /** Element strides of condition, a and b per dimension (0 broadcasts) and of the target. */
  readonly strides: readonly [readonly number[], readonly number[], readonly number[], readonly number[]];
}

function emit(f: FunctionBuilder, p: SelectParams): Stmt[] {
  const value = f.local('v128');
  const operands = [0, 1, 2, 3].map((i) => ({ ptr: f.param(i, 'i32'), storage: 'f32' as const }));
  return [
    emitElementwise(f, vectorNest(collapse(p)), operands, (streams, count) =>
      halves(count).flatMap(({ half, part }) => {
        const [condition, a, b] = [0, 1, 2].map((i) => loadReals(f, streams[i]!, half, part));
        const chosen = f.select(f.op('f32x4', 'ne', condition!, f.zero()), a!, b!);
        return [value.set(chosen), ...storeReals(f, streams[3]!, value, half, part)];
      }),
    ),
  ];
}

function reference(p: SelectParams, memory: ArrayBuffer, args: readonly number[]): void {
  const bits = new Int32Array(memory);
  const conditions = new Float32Array(memory);
  const [c0, a0, b0, t0] = args.map((v) => v / STORAGE_BYTES.f32) as [number, number, number, number];
  walk(p, ([c, a, b, t]) => {
    bits[t0 + t!] = conditions[c0 + c!] !== 0 ? bits[a0 + a!]! : bits[b0 + b!]!;
  });
}

/** Choice between two operands; see `SelectParams`. */
export const selectKernel: KernelDef<SelectParams> = {
  name: () => 'f32-select-simd',
  signature: () => ({ params: ['i32', 'i32', 'i32', 'i32'] }),
  emit,
  reference,
};
