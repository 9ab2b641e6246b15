import type { Value } from '../ir/graph.js';
import { f32 } from '../ir/tensor.js';
import { isCodes, type Quant, sameQuant } from '../ir/type.js';
import { toReal } from '../quant/tensors.js';
import type { ImportContext, OnnxImporter } from './import-context.js';
import { importGrid } from './import-grid.js';
import { lowerDequantize } from './lowering/movement.js';
import { defineOp } from './op.js';
import { show, tensorAt, typeOf } from './shapes.js';

/** Codes made by a quantize of another grid: their reals are carried over, (x / s1 + z1 - z2) * s2, in float. */
function regrid(context: ImportContext, x: Value, from: Quant, to: Quant): Value {
  if (from.axis !== null || to.axis !== null)
    context.unsupported('codes read with another per-axis grid than they were made with');
  const [s1, s2] = [from.scales[0] as number, to.scales[0] as number];
  const shift = ((from.zeroPoints[0] as number) - (to.zeroPoints[0] as number)) * s2;
  const real = context.add('dequantize', {}, [x]);
  const binary = (op: string, a: Value, name: string, v: number): Value =>
    context.add(op, { activation: null }, [a, context.literal(name, f32([], [v]))]);
  const scaled = s1 === s2 ? real : binary('elementwise_mul', real, 'regrid', s2 / s1);
  return shift === 0 ? scaled : binary('elementwise_add', scaled, 'regrid', shift);
}

/** Plain integers that the network computes or receives (an uint8 image): cast, then (x - z) * s in float. */
function dequantizePlain(context: ImportContext, x: Value, q: Quant): Value {
  if (q.axis !== null) context.unsupported('DequantizeLinear per axis of an integer input');
  const zero = q.zeroPoints[0] as number;
  const binary = (op: string, a: Value, name: string, v: number): Value =>
    context.add(op, { activation: null }, [a, context.literal(name, f32([], [v]))]);
  const real = context.add('cast', { to: 'f32' }, [x]);
  const centred = zero === 0 ? real : binary('elementwise_sub', real, 'zero_point', zero);
  return binary('elementwise_mul', centred, 'scale', q.scales[0] as number);
}

const importDequantize: OnnxImporter = (context) => {
  const x = context.input(0);
  const { dtype, shape, quant } = x.type;
  if (dtype !== 'i8' && dtype !== 'u8' && dtype !== 'i32')
    return context.unsupported(`DequantizeLinear of ${dtype}${show(shape)}`, 'The input must be int8, uint8 or int32.');
  const grid = importGrid(context, dtype, shape);
  if (x.data && quant === undefined) {
    const codes = context.literal(x.name, { type: { dtype, shape, quant: grid }, data: x.data.data });
    return context.add('dequantize', {}, [codes]);
  }
  if (quant === undefined) return dequantizePlain(context, x, grid);
  const own = { ...quant, min: grid.min, max: grid.max };
  return sameQuant(own, grid) ? context.add('dequantize', {}, [x]) : regrid(context, x, quant, grid);
};

export const dequantize = defineOp({
  name: 'dequantize',
  doc: 'reals of codes: f32(f32(code - zeroPoint) * scale)',
  inputs: [1, 1],
  quant: 'boundary',
  lower: lowerDequantize,
  infer(_attrs, inputs) {
    const type = typeOf(inputs, 0);
    if (!isCodes(type)) throw new Error(`${type.dtype} without a grid cannot be dequantized`);
    return [{ dtype: 'f32', shape: type.shape }];
  },
  reference: (_attrs, inputs) => [toReal(tensorAt(inputs, 0))],
  integer: (_attrs, inputs) => toReal(tensorAt(inputs, 0)),
  onnx: { DequantizeLinear: importDequantize },
});
