import type { InferInput } from '../ir/op.js';
import { allocate, type Tensor } from '../ir/tensor.js';
import { isCodes, type Quant, sameQuant, scaleAt, sizeOf, type TensorType } from '../ir/type.js';
import { codeBounds } from '../quant/bounds.js';
import { requantize } from '../quant/requantize.js';
import { quantizeTensor, toReal } from '../quant/tensors.js';
import { centredCodes, isPerTensorCodes } from './codes.js';
import type { OnnxImporter } from './import-context.js';
import { quantAttr } from './import-helpers.js';
import { importConcat as importPaddleConcat, importStack } from './import-paddle-shape.js';
import { operatorForm, triples } from './import-quantized.js';
import { lowerConcat } from './lowering/movement.js';
import { defineOp } from './op.js';
import { asInputs, normalizeAxis, plainDtype, reshaped, show, tensorAt, typeOf } from './shapes.js';

type ConcatAttrs = { readonly axis: number };

function infer(attrs: ConcatAttrs, inputs: readonly (InferInput | null)[]): TensorType[] {
  const first = typeOf(inputs, 0);
  const axis = normalizeAxis(attrs.axis, first.shape.length);
  let extent = 0;
  inputs.forEach((_, i) => {
    const type = typeOf(inputs, i);
    const fits =
      type.shape.length === first.shape.length && type.shape.every((d, k) => k === axis || d === first.shape[k]);
    if (!fits) throw new Error(`${show(type.shape)} does not join ${show(first.shape)} along axis ${axis}`);
    if (plainDtype(type) !== plainDtype(first)) throw new Error('operands of different dtypes');
    extent += type.shape[axis] as number;
  });
  return [
    reshaped(
      first,
      first.shape.map((d, k) => (k === axis ? extent : d)),
    ),
  ];
}

/** Joins tensors of one dtype. */
function join(attrs: ConcatAttrs, parts: readonly Tensor[], type: TensorType): Tensor {
  const axis = normalizeAxis(attrs.axis, type.shape.length);
  const data = allocate(type.dtype, sizeOf(type.shape));
  const outer = sizeOf(type.shape.slice(0, axis));
  const row = sizeOf(type.shape.slice(axis));
  let at = 0;
  for (const part of parts) {
    const length = sizeOf(part.type.shape.slice(axis));
    for (let o = 0; o < outer; o++) data.set(part.data.subarray(o * length, (o + 1) * length) as never, o * row + at);
    at += length;
  }
  return { type, data };
}

/** An operand on the grid of the result: as it is, requantized, or quantized. */
function onGrid(t: Tensor, to: Quant): Tensor {
  if (!isCodes(t.type)) return quantizeTensor(t, to);
  const from = t.type.quant as Quant;
  if (sameQuant(from, to)) return t;
  if (from.axis !== null || to.axis !== null) return quantizeTensor(toReal(t), to);
  const m = Math.fround(scaleAt(from, 0) / scaleAt(to, 0));
  const [lo, hi] = codeBounds(to);
  const data = allocate(to.dtype, t.data.length);
  centredCodes(t).forEach((v, i) => {
    data[i] = requantize(v, m, to.rounding, lo, hi) + (to.zeroPoints[0] as number);
  });
  return { type: { dtype: to.dtype, shape: t.type.shape, quant: to }, data };
}

const importConcat: OnnxImporter = (context) => {
  const parts = Array.from({ length: context.inputCount }, (_, i) => context.input(i));
  const axis = normalizeAxis(context.attrs.int('axis', 1), parts[0]?.type.shape.length ?? 0);
  const quant = parts[0]?.type.quant;
  if (!parts.some((p) => isCodes(p.type))) return context.add('concat', { axis }, parts);
  if (!quant || parts.some((p) => !sameQuant(p.type.quant, quant)))
    context.unsupported('Concat of codes on different grids', 'Dequantize the operands first.');
  const reals = parts.map((p) => context.add('dequantize', {}, [p]));
  return context.add('quantize', { quant: quantAttr(quant as Quant) }, [context.add('concat', { axis }, reals)]);
};

/** onnxruntime's QLinearConcat: the grid of the result, then the operands with theirs. */
const importQLinearConcat = operatorForm(
  (context) => ({ operands: triples(Math.ceil((context.inputCount - 2) / 3), 2), result: { scale: 0, zero: 1 } }),
  importConcat,
);

export const concat = defineOp<ConcatAttrs>({
  name: 'concat',
  doc: 'joins tensors along an axis; operands on other grids are requantized',
  inputs: [1, Number.POSITIVE_INFINITY],
  quant: 'same-params',
  lower: lowerConcat,
  infer,
  reference(attrs, inputs) {
    const parts = inputs.map((_, i) => tensorAt(inputs, i));
    return [join(attrs, parts, infer(attrs, asInputs(inputs))[0] as TensorType)];
  },
  integer(attrs, inputs, output) {
    const parts = inputs.map((_, i) => tensorAt(inputs, i));
    const q = output.quant;
    if (q && isPerTensorCodes(output))
      return join(
        attrs,
        parts.map((t) => onGrid(t, q)),
        output,
      );
    return join(attrs, parts.map(toReal), { dtype: 'f32', shape: output.shape });
  },
  paddle: { concat: importPaddleConcat, stack: importStack },
  onnx: { Concat: importConcat, 'com.microsoft:QLinearConcat': importQLinearConcat },
});
