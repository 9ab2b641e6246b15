import type { AttrValue, Value } from '../ir/graph.js';
import { isCodes, type Quant } from '../ir/type.js';
import type { ImportContext } from './import-context.js';

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

/** Axes from the attribute (older operator sets) or from input 1; null where neither is given. */
export function axesOf(context: ImportContext): number[] | null {
  if (context.attrs.has('axes')) return context.attrs.ints('axes');
  return context.inputCount > 1 ? context.numbers(1) : null;
}
