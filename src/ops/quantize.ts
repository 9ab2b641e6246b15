import type { AttrValue } from '../ir/graph.js';
import { type CodeDType, codesType, isCodes, type Quant, sizeOf } from '../ir/type.js';
import { quantizeTensor } from '../quant/tensors.js';
import type { ImportContext, OnnxImporter } from './import-context.js';
import { importDynamicQuantize, quantizePlain } from './import-dynamic.js';
import { importGrid } from './import-grid.js';
import { quantAttr } from './import-helpers.js';
import { QUANTIZE_IMPORTERS } from './import-paddle-fake.js';
import { lowerQuantize } from './lowering/movement.js';
import { defineOp } from './op.js';
import { realTypeOf, tensorAt } from './shapes.js';

/** Attributes of the ops whose result has a grid. */
export type GridAttrs = { readonly quant: AttrValue };

/** The grid that an attribute holds. */
export const gridOf = (attrs: GridAttrs): Quant => attrs.quant as unknown as Quant;

/** The dtype of codes: that of the zero point, else `output_dtype` (opset 21), else u8. Source: ONNX QuantizeLinear. */
function codeDtype(context: ImportContext): CodeDType {
  const named = context.attrs.int('output_dtype', 0);
  // 0 is the dtype of the scale, 1 float32 (opset 23)
  const precision = context.attrs.int('precision', 0);
  if (precision > 1)
    context.unsupported(`QuantizeLinear that divides in data type ${precision}`, 'Leave precision out, or use float.');
  const dtype = named === 0 ? null : ({ 2: 'u8', 3: 'i8' } as const)[named];
  if (dtype === undefined) context.unsupported(`QuantizeLinear to data type ${named}`, 'Use int8 or uint8.');
  const zero = context.optional(2)?.type.dtype;
  if (zero !== undefined && zero !== 'i8' && zero !== 'u8')
    context.unsupported(`QuantizeLinear to ${zero}`, 'Use int8 or uint8.');
  if (dtype && zero && dtype !== zero) throw new Error(`output_dtype is ${dtype}, but the zero point ${zero}`);
  return zero ?? dtype ?? 'u8';
}

const importQuantize: OnnxImporter = (context) => {
  const x = context.input(0);
  if (isCodes(x.type) || x.type.dtype !== 'f32')
    context.unsupported(`QuantizeLinear of ${x.type.dtype}`, 'The input must be float.');
  const dtype = codeDtype(context);
  const [scale, zeroPoint] = [context.input(1), context.inputCount > 2 ? context.optional(2) : null];
  const computed = [scale, zeroPoint].some((v) => v && v.data === undefined);
  // codes with a scale per slice have no place at the border: there they are plain bytes
  const leaves = sizeOf(scale.type.shape) > 1 && context.readers.includes(null);
  if ((computed || leaves) && dtype !== 'i32') {
    if (!computed) importGrid(context, dtype, x.type.shape);
    return quantizePlain(context, x, { scale, zeroPoint, axis: context.attrs.int('axis', 1), dtype });
  }
  const quant = importGrid(context, dtype, x.type.shape);
  return context.add('quantize', { quant: quantAttr(quant) }, [x]);
};

export const quantize = defineOp<GridAttrs>({
  name: 'quantize',
  doc: 'codes of reals: clamp(round(f32(x / scale)) + zeroPoint)',
  inputs: [1, 1],
  quant: 'boundary',
  lower: lowerQuantize,
  infer: (attrs, inputs) => [codesType({ ...realTypeOf(inputs, 0), quant: gridOf(attrs) })],
  // Rounding to the grid is the caller's part, as for every op.
  reference: (_attrs, inputs) => [tensorAt(inputs, 0)],
  integer: (_attrs, inputs, output) => quantizeTensor(tensorAt(inputs, 0), output.quant as Quant),
  paddle: QUANTIZE_IMPORTERS,
  onnx: {
    QuantizeLinear: importQuantize,
    'com.microsoft:QuantizeLinear': importQuantize,
    DynamicQuantizeLinear: importDynamicQuantize,
  },
});
