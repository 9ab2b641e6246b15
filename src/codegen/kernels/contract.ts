import type { Stmt } from '../builder/expr.js';
import type { FunctionBuilder } from '../builder/function.js';
import { type KernelDef, STORAGE_BYTES } from '../kernel.js';
import { emitElementwise, halves, loadReals, type Stream, storeReals, vectorNest } from './lanes.js';
import { collapse, emitNest, type NestShape, walk } from './nest.js';

/**
 * Sums of products over any strided nest: target[kept] = start[kept] + sum over reduced of a[kept, reduced] *
 * b[kept, reduced]. Arguments: [a, b, start, target], byte addresses. The target must not overlap the others.
 *
 * f32: a sum starts at `start`, goes through the reduced dimensions in their order and rounds after every product and
 * sum. i64: exact in the low 64 bits.
 */
export interface ContractParams {
  readonly storage: 'f32' | 'i64';
  /** Dimensions of the output: sizes, and element strides of a, b, start (0 repeats) and target. */
  readonly kept: NestShape;
  /** Dimensions that vanish, outermost first: sizes, and element strides of a and b. */
  readonly reduced: NestShape;
}

const OPERANDS = [0, 1, 2, 3] as const;

/** Vectors along a kept dimension: every lane is an output of its own. */
function emitFloats(f: FunctionBuilder, p: ContractParams): Stmt[] {
  const reduced = collapse(p.reduced);
  const elements = [f.local('i32'), f.local('i32')];
  const sums = f.vectors(2);
  const strides = reduced.strides.map((list) => list.map((s) => 4 * s));
  const step = (streams: readonly Stream[], count: number): Stmt[] => {
    const used = halves(count);
    const load = (i: 0 | 1, half: number, part: number) =>
      loadReals(f, { ...streams[i]!, ptr: elements[i]! }, half, part);
    const turn = used.map(({ half, part }) =>
      sums[half]!.set(f.multiplyAdd(sums[half]!, load(0, half, part), load(1, half, part))),
    );
    return [
      ...used.map(({ half, part }) => sums[half]!.set(loadReals(f, streams[2]!, half, part))),
      ...elements.map((e, i) => e.set(streams[i]!.ptr)),
      emitNest(
        f,
        reduced.dims,
        elements.map((ptr, i) => ({ ptr, strides: strides[i]! })),
        turn,
      ),
      ...used.flatMap(({ half, part }) => storeReals(f, streams[3]!, sums[half]!, half, part)),
    ];
  };
  const operands = OPERANDS.map((i) => ({ ptr: f.param(i, 'i32'), storage: 'f32' as const }));
  return [emitElementwise(f, vectorNest(collapse(p.kept)), operands, step)];
}

/** One output at a time. */
function emitIntegers(f: FunctionBuilder, p: ContractParams): Stmt[] {
  const [kept, reduced] = [collapse(p.kept), collapse(p.reduced)];
  const bytes = (list: readonly number[]): number[] => list.map((s) => 8 * s);
  const outer = OPERANDS.map((i) => ({ ptr: f.param(i, 'i32'), strides: bytes(kept.strides[i]!) }));
  const inner = [0, 1].map((i) => ({ ptr: f.local('i32'), strides: bytes(reduced.strides[i]!) }));
  const sum = f.local('i64');
  const product = f.i64Op('mul', f.loadI64(inner[0]!.ptr), f.loadI64(inner[1]!.ptr));
  const body = [
    sum.set(f.loadI64(outer[2]!.ptr)),
    ...inner.map(({ ptr }, i) => ptr.set(outer[i]!.ptr)),
    emitNest(f, reduced.dims, inner, [sum.set(f.i64Op('add', sum, product))]),
    f.storeI64(outer[3]!.ptr, sum),
  ];
  return [emitNest(f, kept.dims, outer, body)];
}

function reference(p: ContractParams, memory: ArrayBuffer, args: readonly number[]): void {
  const view = new DataView(memory);
  const at = (i: number, element: number): number => args[i]! + STORAGE_BYTES[p.storage] * element;
  const reduced = collapse(p.reduced);
  walk(p.kept, ([a, b, start, target]) => {
    if (p.storage === 'i64') {
      let sum = view.getBigInt64(at(2, start!), true);
      walk(reduced, ([i, j]) => {
        sum += view.getBigInt64(at(0, a! + i!), true) * view.getBigInt64(at(1, b! + j!), true);
      });
      return view.setBigInt64(at(3, target!), BigInt.asIntN(64, sum), true);
    }
    let sum = view.getFloat32(at(2, start!), true);
    walk(reduced, ([i, j]) => {
      const product = Math.fround(view.getFloat32(at(0, a! + i!), true) * view.getFloat32(at(1, b! + j!), true));
      sum = Math.fround(sum + product);
    });
    view.setFloat32(at(3, target!), sum, true);
  });
}

/** Sums of products; see `ContractParams`. */
export const contractKernel: KernelDef<ContractParams> = {
  name: (p) => `${p.storage}-contract-${p.storage === 'f32' ? 'simd' : 'scalar'}`,
  signature: () => ({ params: ['i32', 'i32', 'i32', 'i32'] }),
  emit: (f, p) => (p.storage === 'f32' ? emitFloats(f, p) : emitIntegers(f, p)),
  reference,
};
