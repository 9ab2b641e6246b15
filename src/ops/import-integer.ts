import type { Value } from '../ir/graph.js';
import { numbers } from '../ir/tensor.js';
import { type CodeDType, perAxis, perTensor, type Quant } from '../ir/type.js';
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

/**
 * The importer of a product of integers with int32 sums (inputs x, w, zero points of x, of w), whose scales follow as a
 * Cast and a Mul: codes of x keep their scale s, those of w get the scale 1 / s, so that the product on reals is the sum.
 */
export function integerProductOp(axis: number, importer: OnnxImporter): OnnxImporter {
  return (context) => {
    const [x, w] = [context.input(0), context.input(1)];
    for (const { type } of [x, w])
      if (type.dtype !== 'i8' && type.dtype !== 'u8')
        context.unsupported(`${context.type} of ${type.dtype}${show(type.shape)}`, 'Its operands must be 8-bit.');
    if (x.type.quant && x.type.quant.axis !== null) context.unsupported(`${context.type} of codes quantized per axis`);
    const scale = x.type.quant?.scales[0] ?? 1;
    const real = codesAsReals(context, x, gridWith(context, x, 2, scale, -2));
    const weights = codesAsReals(context, w, gridWith(context, w, 3, 1 / scale, axis));
    context.operandsReady();
    const sums = importer(withInputs(context, [real, weights])) as Value;
    if (readAsFloat(context)) return sums;
    return context.add('cast', { to: 'i32' }, [scale === 1 ? sums : context.add('round', {}, [sums])]);
  };
}
