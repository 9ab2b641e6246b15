import type { Value } from '../ir/graph.js';
import { f32 } from '../ir/tensor.js';
import { type Quant, sameQuant } from '../ir/type.js';
import type { ImportContext } from './import-context.js';
import { quantAttr } from './import-helpers.js';

const binary = (context: ImportContext, op: string, a: Value, name: string, v: number): Value =>
  context.add(op, { activation: null }, [a, context.literal(name, f32([], [v]))]);

/** Codes made by a quantize of another grid: their reals are carried over, (x / s1 + z1 - z2) * s2, in float. */
function regrid(context: ImportContext, x: Value, from: Quant, to: Quant): Value {
  if (from.axis !== null || to.axis !== null)
    context.unsupported('codes read with another per-axis grid than they were made with');
  const [s1, s2] = [from.scales[0] as number, to.scales[0] as number];
  const shift = ((from.zeroPoints[0] as number) - (to.zeroPoints[0] as number)) * s2;
  const real = context.add('dequantize', {}, [x]);
  const scaled = s1 === s2 ? real : binary(context, 'elementwise_mul', real, 'regrid', s2 / s1);
  return shift === 0 ? scaled : binary(context, 'elementwise_add', scaled, 'regrid', shift);
}

/** Plain integers that the network computes or receives (an uint8 image): cast, then (x - z) * s in float. */
function plainAsReals(context: ImportContext, x: Value, q: Quant): Value {
  if (q.axis !== null) context.unsupported(`${context.type} per axis of an integer input`);
  const zero = q.zeroPoints[0] as number;
  const real = context.add('cast', { to: 'f32' }, [x]);
  const centred = zero === 0 ? real : binary(context, 'elementwise_sub', real, 'zero_point', zero);
  return binary(context, 'elementwise_mul', centred, 'scale', q.scales[0] as number);
}

/** The real numbers that a grid gives to integers: constants, codes of the same or another grid, or plain numbers. */
export function codesAsReals(context: ImportContext, x: Value, grid: Quant): Value {
  const { dtype, shape, quant } = x.type;
  if (x.data && quant === undefined) {
    const codes = context.literal(x.name, { type: { dtype, shape, quant: grid }, data: x.data.data });
    return context.add('dequantize', {}, [codes]);
  }
  if (quant === undefined) return plainAsReals(context, x, grid);
  const own = { ...quant, min: grid.min, max: grid.max };
  return sameQuant(own, grid) ? context.add('dequantize', {}, [x]) : regrid(context, x, quant, grid);
}

/** Rounds reals to a grid and gives the codes. */
export const realsAsCodes = (context: ImportContext, x: Value, grid: Quant): Value =>
  context.add('quantize', { quant: quantAttr(grid) }, [x]);
