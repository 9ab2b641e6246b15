import { type BinaryOp, type BinaryParams, binaryKernel, usesOutputScale } from '../../codegen/kernels/binary.js';
import { integerForm } from '../../codegen/kernels/integers.js';
import { type SelectParams, selectKernel } from '../../codegen/kernels/select.js';
import { asWords, type LowerContext, laneStorage, refOf, type View } from '../../codegen/lowering.js';
import type { Attrs } from '../../ir/graph.js';
import { isCodes, type Quant, quantaOf, scaleAt, type TensorType } from '../../ir/type.js';
import { type Activation, clampBounds } from '../../quant/activation.js';
import { codeBounds } from '../../quant/bounds.js';
import { codeReach, operandScale } from '../codes.js';
import { codeStorageOf, MAGIC_LIMIT, saturating } from './epilogue.js';
import { applyInteger, wrapBytes } from './integers.js';
import { aligned, applyMap, memoryOrder } from './movement.js';

const real = (activation: Activation | null, q: Quant | null): (Activation & Attrs) | null =>
  q !== null && activation && clampBounds(activation) ? null : (activation as (Activation & Attrs) | null);

/** Factors of the operands: in output quanta, or real scales where the kernel divides by the output scale. */
function factors(op: BinaryOp, a: TensorType, b: TensorType, unit: number): number[] {
  const [sa, sb] = [operandScale(a), operandScale(b)];
  if (!isCodes(a) && !isCodes(b)) return [];
  if (op === 'mul') return [Math.fround((sa * sb) / unit)];
  return op === 'div' ? [sa, sb] : [Math.fround(sa / unit), Math.fround(sb / unit)];
}

/** Whether a sum, difference or product of codes cannot leave +-2^22 output quanta. */
function provenBelow(context: LowerContext, op: BinaryOp, by: readonly number[]): boolean {
  const types = [context.inputType(0), context.inputType(1)];
  if (!types.every(isCodes)) return false;
  const [a, b] = types.map(codeReach) as [number, number];
  const [first, second] = by.map(Math.abs) as [number, number];
  if (op === 'mul') return a * b * first < MAGIC_LIMIT;
  return (op === 'add' || op === 'sub') && a * first + b * second < MAGIC_LIMIT;
}

/** elementwise_add, _sub, _mul, _div: two operands with broadcasting, one rounding. */
export const lowerBinary =
  (op: BinaryOp) =>
  (context: LowerContext, attrs: { readonly activation?: Activation | null }): void => {
    const [a, b] = [context.input(0), context.input(1)];
    const out = context.outputOver(0, 1);
    if (a.storage === 'i64') return applyInteger(context, integerForm(op), [a, b], out, context.inputType(0).dtype);
    const order = memoryOrder(out);
    const pick = (values: readonly number[]): number[] => order.map((i) => values[i] as number);
    const q = isCodes(context.outputType()) ? (context.outputType().quant as Quant) : null;
    const activation = attrs.activation ?? null;
    const whole = context.outputType().dtype !== 'f32' && !q;
    const params: BinaryParams = {
      op: whole && op === 'div' ? 'quotient' : op,
      dims: pick(out.shape),
      a: { storage: laneStorage(a), strides: pick(aligned(a, out.shape.length)) },
      b: { storage: laneStorage(b), strides: pick(aligned(b, out.shape.length)) },
      target: pick(out.strides),
      activation: real(activation, q),
      output: q
        ? { storage: codeStorageOf(out), rounding: q.rounding, ...(q.reciprocal ? { reciprocal: true } : {}) }
        : { storage: 'f32' },
    };
    const divides = usesOutputScale(params);
    const unit = q && !divides ? scaleAt(q, 0) : 1;
    const ofOperands = factors(op, context.inputType(0), context.inputType(1), unit);
    const bounds = q ? codeBounds(q, params.activation ? null : activation) : [];
    const scale = q && divides ? [quantaOf(q).factor] : [];
    const args = [...ofOperands, ...scale, ...bounds];
    const proven = !divides && provenBelow(context, op, ofOperands);
    const known = proven ? { proven, ...saturating(params.output.storage, bounds) } : {};
    const output = params.output.storage === 'f32' ? params.output : { ...params.output, ...known };
    context.call(binaryKernel, { ...params, output }, [refOf(a), refOf(b), refOf(out), ...args]);
    if (whole && op === 'pow') applyMap(context, { kind: 'unary', fn: 'round' }, out, out);
    if (whole) wrapBytes(context, out);
  };

/** where: condition, x and y with broadcasting; integers go as pairs of words. */
export function lowerWhere(context: LowerContext): void {
  const out = asWords(context.output());
  const rank = context.outputType().shape.length;
  const order = memoryOrder(out);
  const pick = (values: readonly number[]): number[] => order.map((i) => values[i] as number);
  const views = [0, 1, 2].map((slot) => context.input(slot)) as [View, View, View];
  const strides = views.map((v) => [
    ...aligned(v, rank).map((s) => (v.storage === 'i64' ? 2 * s : s)),
    ...(out.shape.length > rank ? [v.storage === 'i64' ? 1 : 0] : []),
  ]);
  const [condition, x, y] = strides.map(pick) as [number[], number[], number[]];
  const params: SelectParams = { dims: pick(out.shape), strides: [condition, x, y, pick(out.strides)] };
  context.call(selectKernel, params, [...views.map((v) => refOf(v)), refOf(out)]);
}

/** An operation on two views of reals with the shape of the target. */
export function applyBinary(context: LowerContext, op: BinaryOp, a: View, b: View, target: View): void {
  const order = memoryOrder(target);
  const pick = (values: readonly number[]): number[] => order.map((i) => values[i] as number);
  const operand = (v: View) => ({ storage: 'f32' as const, strides: pick(v.strides) });
  const params: BinaryParams = {
    op,
    dims: pick(target.shape),
    a: operand(a),
    b: operand(b),
    target: pick(target.strides),
    activation: null,
    output: { storage: 'f32' },
  };
  context.call(binaryKernel, params, [refOf(a), refOf(b), refOf(target)]);
}
