import { numbers } from '../ir/tensor.js';
import { type CodeDType, perAxis, perTensor, type Quant } from '../ir/type.js';
import type { ImportContext } from './import-context.js';
import { normalizeAxis, show } from './shapes.js';

/** The inputs of a node that give a grid, and the axis that several scales run along: by default its attribute. */
export interface GridSlots {
  readonly scale: number;
  readonly zero: number;
  readonly axis?: number | undefined;
}

/**
 * The grid that inputs of a node give to data of a shape; by default those of ONNX QuantizeLinear and DequantizeLinear
 * (data, scale, zero point or nothing). One scale is per tensor, whatever its rank; several are per slice along an axis.
 */
export function importGrid(
  context: ImportContext,
  dtype: CodeDType,
  shape: readonly number[],
  slots: GridSlots = { scale: 1, zero: 2 },
): Quant {
  if (context.attrs.int('block_size', 0) !== 0)
    context.unsupported('blocked quantization (block_size)', 'Quantize per tensor or per axis.');
  const scale = context.constant(slots.scale);
  if (scale.type.dtype !== 'f32') throw new Error(`the scale has dtype ${scale.type.dtype}, float expected`);
  if (scale.type.shape.length > 1)
    context.unsupported(`a scale of shape ${show(scale.type.shape)}`, 'Quantize per tensor or per axis.');
  const scales = numbers(scale);
  const bad = scales.find((s) => !(s > 0 && Number.isFinite(s)));
  if (bad !== undefined) throw new Error(`the scale ${bad} is not a positive finite number`);
  const zeroPoints = importZeroPoints(context, dtype, scales.length, slots.zero);
  if (scales.length === 1) return perTensor(dtype, scales[0] as number, zeroPoints[0]);
  const axis = normalizeAxis(slots.axis ?? context.attrs.int('axis', 1), shape.length);
  if (scales.length !== shape[axis])
    throw new Error(`${scales.length} scales for axis ${axis} of a tensor of shape ${show(shape)}`);
  return perAxis(dtype, axis, scales, zeroPoints);
}

function importZeroPoints(context: ImportContext, dtype: CodeDType, count: number, slot: number): number[] {
  if (context.optional(slot) === null) return new Array<number>(count).fill(0);
  const zero = context.constant(slot);
  if (zero.type.dtype !== dtype) throw new Error(`the zero point has dtype ${zero.type.dtype}, the codes ${dtype}`);
  const zeroPoints = numbers(zero);
  if (zeroPoints.length !== count) throw new Error(`${zeroPoints.length} zero points for ${count} scales`);
  if (dtype === 'i32' && zeroPoints.some((z) => z !== 0)) throw new Error('int32 codes need the zero point 0');
  return zeroPoints;
}
