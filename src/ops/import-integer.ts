import type { Value } from '../ir/graph.js';
import { numbers } from '../ir/tensor.js';
import { type CodeDType, perAxis, perTensor, type Quant, sizeOf } from '../ir/type.js';
import { castTo, combine, reshapeTo } from './compose.js';
import { codesAsReals } from './import-codes.js';
import type { ImportContext, OnnxImporter } from './import-context.js';
import { withInputs } from './import-quantized.js';
import { normalizeAxis, show } from './shapes.js';

/** Cast targets that are float32 here: float, float16, double, bfloat16. */
const FLOATS = new Set([1, 10, 11, 16]);

/** Whether every reader casts the sums to float at once, as the output of dynamic quantizers does. */
const readAsFloat = (context: ImportContext): boolean =>
  context.readers.every((r) => r?.type === 'Cast' && FLOATS.has(r.attrs.int('to', 0)));

/** The grid that a scale and the zero points of an input (absent: 0) give to integers. */
function gridWith(context: ImportContext, x: Value, slot: number, scale: number, axis: number): Quant {
  const { shape } = x.type;
  const dtype = x.type.dtype as CodeDType;
  const zero = context.optional(slot) ? context.constant(slot) : null;
  const zeros = zero ? numbers(zero) : [0];
  if (zero && zero.type.dtype !== dtype)
    throw new Error(`the zero point has dtype ${zero.type.dtype}, the codes ${dtype}`);
  if (zeros.length === 1) return perTensor(dtype, scale, zeros[0]);
  const at = normalizeAxis(axis, shape.length);
  if (zeros.length !== shape[at]) throw new Error(`${zeros.length} zero points for axis ${at} of ${show(shape)}`);
  return perAxis(dtype, at, new Array<number>(zeros.length).fill(scale), zeros);
}

/** The products behind every sum: the inner dimension of matrices, or the weights of a filter. */
const termsOf = (context: ImportContext, x: Value, w: Value): number =>
  context.type === 'MatMulInteger' ? (x.type.shape.at(-1) ?? 1) : sizeOf(w.type.shape.slice(1));

/** The most that a code can be away from its zero point; of constants the most that one is. */
function reachOf(v: Value, zero: Value | null): number {
  const zeros = zero?.data ? numbers(zero.data) : [];
  if (!v.data || zeros.length > 1 || (zero && !zero.data)) return 255;
  const z = zeros[0] ?? 0;
  return numbers(v.data).reduce((most, code) => Math.max(most, Math.abs(code - z)), 0);
}

/** Codes minus their zero point, which may be computed, as numbers of a dtype; `axis` for one per slice. */
function centred(context: ImportContext, slot: 0 | 1, dtype: 'f32' | 'i32', axis: number): Value {
  const [x, zero] = [context.input(slot), context.optional(slot + 2)];
  const plain = castTo(context, x, dtype);
  if (!zero) return plain;
  const count = sizeOf(zero.type.shape);
  const rank = x.type.shape.length;
  const at = count === 1 ? 0 : normalizeAxis(axis, rank);
  const shape = count === 1 ? [] : Array.from({ length: rank }, (_, d) => (d === at ? count : 1));
  const offset = zero.type.shape.length > 1 ? zero : reshapeTo(context, zero, shape);
  return combine(context, 'elementwise_sub', plain, castTo(context, offset, dtype));
}

/** The matrix product of integers as numpy has it, exact. */
function exactMatrixProduct(context: ImportContext): Value {
  const [a, b] = [centred(context, 0, 'i32', -2), centred(context, 1, 'i32', -1)];
  const [ra, rb] = [a.type.shape.length, b.type.shape.length];
  const batch = (rank: number): number[] => Array.from({ length: Math.max(rank - 2, 0) }, (_, i) => rank - 2 - i);
  const [m, k, n] = [-1, -2, -3];
  const operands = [ra === 1 ? [k] : [...batch(ra), m, k], rb === 1 ? [k] : [...batch(rb), k, n]];
  const result = [...batch(Math.max(ra, rb)), ...(ra === 1 ? [] : [m]), ...(rb === 1 ? [] : [n])];
  context.operandsReady();
  return context.add('einsum', { operands, result }, [a, b]);
}

/** The product on floats of codes whose zero points the network computes; the sums must be exact in float32. */
function dynamicProduct(context: ImportContext, axis: number, importer: OnnxImporter): Value {
  const operands = [centred(context, 0, 'f32', -2), centred(context, 1, 'f32', axis)];
  context.operandsReady();
  return importer(withInputs(context, operands)) as Value;
}

/**
 * The importer of a product of integers with int32 sums (inputs x, w, zero points of x, of w), whose scales follow as a
 * Cast and a Mul: codes of x keep their scale s, those of w get the scale 1 / s, so that the product on reals is the sum.
 * Where the sums leave the network as int32 and may be beyond what floats count, they are computed as integers.
 */
export function integerProductOp(axis: number, importer: OnnxImporter): OnnxImporter {
  return (context) => {
    const [x, w] = [context.input(0), context.input(1)];
    for (const { type } of [x, w])
      if (type.dtype !== 'i8' && type.dtype !== 'u8')
        context.unsupported(`${context.type} of ${type.dtype}${show(type.shape)}`, 'Its operands must be 8-bit.');
    if (x.type.quant && x.type.quant.axis !== null) context.unsupported(`${context.type} of codes quantized per axis`);
    const scale = x.type.quant?.scales[0] ?? 1;
    const zeros = [context.optional(2), context.optional(3)] as const;
    const computed = zeros.some((zero) => zero && zero.data === undefined);
    const most = termsOf(context, x, w) * reachOf(x, zeros[0]) * reachOf(w, zeros[1]);
    const asFloat = readAsFloat(context);
    // reals on a grid are rounded themselves, which whole numbers up to 2^22 survive
    if (!asFloat && most >= (scale === 1 ? 2 ** 24 : 2 ** 22)) {
      if (context.type === 'MatMulInteger' && [x, w].every((v) => v.type.quant === undefined))
        return exactMatrixProduct(context);
      context.unsupported(`sums of ${context.type} up to ${most} as int32`, 'Put a Cast to float behind it.');
    }
    if (computed) {
      if ([x, w].some((v) => v.type.quant)) context.unsupported(`${context.type} of codes with computed zero points`);
      const sums = dynamicProduct(context, axis, importer);
      return asFloat ? sums : castTo(context, sums, 'i32');
    }
    const real = codesAsReals(context, x, gridWith(context, x, 2, scale, -2));
    const weights = codesAsReals(context, w, gridWith(context, w, 3, 1 / scale, axis));
    context.operandsReady();
    const sums = importer(withInputs(context, [real, weights])) as Value;
    if (asFloat) return sums;
    return context.add('cast', { to: 'i32' }, [scale === 1 ? sums : context.add('round', {}, [sums])]);
  };
}
