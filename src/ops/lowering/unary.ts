import { isIntegerUnary } from '../../codegen/kernels/integers.js';
import type { UnaryFunction } from '../../codegen/kernels/map.js';
import type { LowerContext } from '../../codegen/lowering.js';
import type { Attrs } from '../../ir/graph.js';
import type { OpDef } from '../../ir/op.js';
import { isCodes, type Quant, sameQuant, zeroPointAt } from '../../ir/type.js';
import { type Activation, clampBounds } from '../../quant/activation.js';
import { codeBounds } from '../../quant/bounds.js';
import { assert } from '../../support/errors.js';
import { tableOf } from '../table.js';
import { applyInteger, wrapBytes } from './integers.js';
import { applyMap } from './movement.js';

/** The entries of a unary op from the codes of one grid to centred codes of another, in order of the code. */
function centredTable(op: OpDef, attrs: Attrs, from: Quant, to: Quant): Int16Array {
  const bytes = tableOf(op, attrs, from, to);
  const zero = zeroPointAt(to, 0);
  return Int16Array.from({ length: from.max - from.min + 1 }, (_, i) => (bytes[(from.min + i) & 255] as number) - zero);
}

function lowerTable(context: LowerContext, op: OpDef, attrs: Attrs): void {
  const [from, to] = [context.inputType(0).quant, context.outputType().quant];
  assert(from && to, `${op.name} (${context.node.id}) needs a grid on both sides`);
  const table = context.data(centredTable(op, attrs, from, to));
  const args = [table, zeroPointAt(from, 0) - from.min];
  applyMap(context, { kind: 'table' }, context.input(0), context.outputOver(0), args);
}

/** A unary activation: on codes a table (a clamp on one grid: bounds), on reals a vector function. */
export const lowerActivation =
  <A extends Attrs>(activation: (attrs: A) => Activation, op: () => OpDef) =>
  (context: LowerContext, attrs: A): void => {
    const fn = activation(attrs) as Activation & Attrs;
    const [x, out] = [context.input(0), context.outputOver(0)];
    const { quant } = context.outputType();
    if (!isCodes(context.inputType(0))) applyMap(context, { kind: 'activation', activation: fn }, x, out);
    else if (clampBounds(fn) && quant && sameQuant(context.inputType(0).quant, quant))
      applyMap(context, { kind: 'clamp' }, x, out, [...codeBounds(quant, fn)]);
    else lowerTable(context, op(), attrs);
  };

/** A unary function: on codes a table, on reals and integers a vector function. */
export const lowerUnary =
  (fn: UnaryFunction, op: () => OpDef) =>
  (context: LowerContext, attrs: Attrs): void => {
    if (isCodes(context.inputType(0))) return lowerTable(context, op(), attrs);
    const [x, out] = [context.input(0), context.outputOver(0)];
    if (x.storage === 'i64' && isIntegerUnary(fn))
      return applyInteger(context, fn, [x], out, context.outputType().dtype);
    applyMap(context, { kind: 'unary', fn }, x, out);
    wrapBytes(context, out);
  };
