import type { AttrValue, Value } from '../ir/graph.js';
import type { OpDef } from '../ir/op.js';
import { isCodes, type Quant } from '../ir/type.js';
import type { ImportContext, OnnxImporter } from './import-context.js';

/** A grid as an attribute. */
export const quantAttr = (quant: Quant): AttrValue => ({ ...quant });

/** An op whose first input may be codes in the source, and that keeps the grid: it is applied to the real values. */
export function onReals(context: ImportContext, apply: (x: Value) => Value): Value {
  const x = context.input(0);
  const quant = x.type.quant;
  if (quant === undefined || !isCodes(x.type)) return apply(x);
  const y = apply(context.add('dequantize', {}, [x]));
  return context.add('quantize', { quant: quantAttr(quant) }, [y]);
}

/** Importers of arithmetic ops that know what to do with codes; ops that move data and Q/DQ all do. */
const READ_CODES = new Set(['Cast', 'Clip', 'MaxPool', 'Relu', 'Shape', 'Size']);

/** The operator form of quantized models: such types compute on codes by definition. */
const ON_CODES = /^(com\.microsoft:)?(QLinear|QGemm$|ConvInteger$|MatMulInteger$)/;

/** An importer that refuses codes, which the source would compute with as plain integers. */
export function guarded(type: string, op: OpDef, importer: OnnxImporter): OnnxImporter {
  if (op.quant === 'same-params' || op.quant === 'boundary' || READ_CODES.has(type) || ON_CODES.test(type))
    return importer;
  return (context) => {
    for (let i = 0; i < context.inputCount; i++) {
      const input = context.optional(i);
      if (input && isCodes(input.type))
        context.unsupported(`${type} on quantized codes`, 'Put a DequantizeLinear in front of it.');
    }
    return importer(context);
  };
}

/** Axes from the attribute (older operator sets) or from input 1; null where neither is given. */
export function axesOf(context: ImportContext): number[] | null {
  if (context.attrs.has('axes')) return context.attrs.ints('axes');
  return context.inputCount > 1 ? context.numbers(1) : null;
}
