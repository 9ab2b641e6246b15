import { epilogueArguments } from '../../codegen/kernels/epilogue.js';
import { type GemmParams, gemm } from '../../codegen/kernels/gemm.js';
import { matmulKernel } from '../../codegen/kernels/matmul.js';
import { PACK_COLUMNS, type PackParams, packedLength, packKernel } from '../../codegen/kernels/pack.js';
import { type LowerContext, laneStorage, type Ref, refOf, type View } from '../../codegen/lowering.js';
import { isCodes, sizeOf } from '../../ir/type.js';
import { modelError } from '../../support/errors.js';
import { broadcastStrides } from '../broadcast.js';
import { codeReach } from '../codes.js';
import type { ProductAttrs } from '../product-shared.js';
import { applyBinary } from './elementwise.js';
import { codeStorageOf, planEpilogue } from './epilogue.js';
import { applyOp, withContiguousOutput } from './movement.js';

/** A batch of products a[m, k] * b[k, n] of row-major matrices, b as [n, k] where transposed. */
interface Product {
  readonly a: View;
  readonly b: View;
  readonly m: number;
  readonly k: number;
  readonly n: number;
  readonly transB: boolean;
  /** Which matrix of a and of b each product takes. */
  readonly matrices: readonly (readonly [a: number, b: number])[];
}

/** A product with weights or a bias that are computed at run time. */
export function lowerComputedProduct(context: LowerContext, attrs: ProductAttrs): void {
  const [a, b] = [context.input(0, { contiguous: true }), context.input(1, { contiguous: true })];
  const [k, n] = (attrs.transposeWeights ? [...b.shape].reverse() : b.shape) as [number, number];
  const product: Product = { a, b, m: sizeOf(a.shape) / k, k, n, transB: attrs.transposeWeights, matrices: [[0, 0]] };
  if (isCodes(context.inputType(0))) return multiplyCodes(context, product, attrs);
  withContiguousOutput(context, (out) => {
    multiplyReals(context, product, out);
    if (context.hasInput(2)) {
      const bias = context.input(2, { contiguous: true });
      const strides = out.shape.map((_, d) => (d === out.shape.length - 1 ? 1 : 0));
      applyBinary(context, 'add', out, { ...bias, shape: out.shape, strides }, out);
    }
    if (attrs.activation) applyOp(context, { kind: 'activation', activation: attrs.activation }, out);
  });
}

/** matmul of two activations, their batches broadcast. */
export function lowerMatmul(
  context: LowerContext,
  attrs: { readonly transX: boolean; readonly transY: boolean; readonly alpha: number },
): void {
  const [a, b] = [context.input(0, { contiguous: true }), context.input(1, { contiguous: true })];
  const batch = context.outputType().shape.slice(0, -2);
  const [m, n] = context.outputType().shape.slice(-2) as [number, number];
  const k = (attrs.transX ? a.shape.at(-2) : a.shape.at(-1)) as number;
  if (attrs.transX || attrs.alpha !== 1)
    throw modelError('matmul with a transposed first operand or a factor has no kernel');
  const product = joinBatches({ a, b, m, k, n, transB: attrs.transY, matrices: matricesOf(batch, a, b) });
  if (isCodes(context.inputType(0))) return multiplyCodes(context, product, { activation: null });
  withContiguousOutput(context, (out) => multiplyReals(context, product, out));
}

/** The matrices of the operands for every product of a batch. */
function matricesOf(batch: readonly number[], a: View, b: View): (readonly [number, number])[] {
  const [sa, sb] = [a, b].map(({ shape }) => broadcastStrides(shape.slice(0, -2), batch)) as [number[], number[]];
  return Array.from({ length: sizeOf(batch) }, (_, i) => [offsetOf(i, batch, sa), offsetOf(i, batch, sb)] as const);
}

/** Products with one b for all rows of a are one product. */
function joinBatches(p: Product): Product {
  const joins = p.matrices.every(([a, b], i) => a === i && b === 0);
  return joins ? { ...p, m: p.m * p.matrices.length, matrices: [[0, 0]] } : p;
}

function multiplyReals(context: LowerContext, p: Product, out: View): void {
  const { a, b, m, k, n, transB, matrices } = p;
  const inOrder = matrices.every(([x, y], i) => x === i && y === i);
  if (inOrder) {
    const params = { batch: matrices.length, m, k, n, transB, batchedB: matrices.length > 1 };
    return context.call(matmulKernel, params, [refOf(a), refOf(b), refOf(out)]);
  }
  const params = { batch: 1, m, k, n, transB, batchedB: false };
  for (const [i, [x, y]] of matrices.entries())
    context.call(matmulKernel, params, [refOf(a, x * m * k), refOf(b, y * k * n), refOf(out, i * m * n)]);
}

/** Products of codes: b is put into the order of packed weights, once per matrix. */
function multiplyCodes(context: LowerContext, p: Product, { activation }: Pick<ProductAttrs, 'activation'>): void {
  const { a, b, m, k, n, transB } = p;
  const weightSums = new Float64Array(n).fill(k * codeReach(context.inputType(1)));
  const { epilogue, args } = planEpilogue(context, { channels: n, activation, weightSums });
  const shape: Omit<GemmParams, 'tile'> = {
    storage: laneStorage(a),
    isa: 'simd',
    columns: n,
    rows: 1,
    cols: m,
    taps: { ySegments: 1, xSegments: 1, length: k, yStride: 0, xStride: 0 },
    pixStride: k,
    rowStride: 0,
    outPix: n,
    outRow: 0,
    epilogue,
  };
  const params: GemmParams = { ...shape, tile: { mr: Math.min(m, 4), nr: PACK_COLUMNS } };
  const strides = transB ? { kStride: 1, nStride: k } : { kStride: n, nStride: 1 };
  const packing: PackParams = { storage: codeStorageOf(b), k, n, ...strides };
  const packed = new Map<number, Ref>();
  const packedOf = (matrix: number): Ref => {
    const known = packed.get(matrix);
    if (known) return known;
    const ref = context.scratch(2 * packedLength(packing));
    context.call(packKernel, packing, [refOf(b, matrix * k * n), ref]);
    packed.set(matrix, ref);
    return ref;
  };
  withContiguousOutput(context, (out) => {
    for (const [i, [x, y]] of p.matrices.entries()) {
      const ends = epilogueArguments(epilogue, args(0, n, 0));
      context.call(gemm, params, [refOf(a, x * m * k), refOf(out, i * m * n), packedOf(y), ...ends]);
    }
  });
}

function offsetOf(index: number, shape: readonly number[], strides: readonly number[]): number {
  let [rest, at] = [index, 0];
  for (let d = shape.length - 1; d >= 0; d--) {
    at += (rest % (shape[d] as number)) * (strides[d] as number);
    rest = Math.floor(rest / (shape[d] as number));
  }
  return at;
}
