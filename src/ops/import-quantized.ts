import type { Value } from '../ir/graph.js';
import { type CodeDType, perAxis, perTensor, type Quant, scaleAt } from '../ir/type.js';
import { codesAsReals, realsAsCodes } from './import-codes.js';
import type { ImportContext, OnnxImporter } from './import-context.js';
import { dequantizePlain, quantizePlain } from './import-dynamic.js';
import { type GridSlots, importGrid } from './import-grid.js';
import { show } from './shapes.js';

/** Where an operand of a quantized operator stands: its codes and their grid; `axis` for scales per slice. */
export interface OperandSlots extends GridSlots {
  readonly codes: number;
}

/** Where the parts of a quantized operator stand among its inputs. */
export interface QuantizedOperator {
  readonly operands: readonly OperandSlots[];
  /** An int32 bias, whose scale is the product of the operands' scales and the factor (1 if absent). */
  readonly bias?: { readonly slot: number; readonly factor?: number };
  /** The grid of the result; a result whose scale may be absent is real without it. */
  readonly result: GridSlots & { readonly optional?: true };
}

/** The slots (codes, scale, zero point) of consecutive operands. */
export const triples = (count: number, first = 0): OperandSlots[] =>
  Array.from({ length: count }, (_, i) => ({
    codes: first + 3 * i,
    scale: first + 3 * i + 1,
    zero: first + 3 * i + 2,
  }));

/** The import of a node with other values as its inputs. */
export function withInputs(context: ImportContext, inputs: readonly (Value | null)[]): ImportContext {
  const input = (i: number): Value => inputs[i] ?? context.unsupported(`${context.type} without operand ${i}`);
  return {
    opset: context.opset,
    type: context.type,
    attrs: context.attrs,
    inputCount: inputs.length,
    outputCount: context.outputCount,
    get readers() {
      return context.readers;
    },
    input,
    optional: (i) => inputs[i] ?? null,
    constant: (i) => input(i).data ?? context.unsupported(`operand ${i} is computed by the network`),
    numbers: () => null,
    isComputed: (i) => inputs[i] != null && input(i).data === undefined,
    statedShape: (i) => context.unsupported(`result ${i} of ${context.type} has no stated shape`),
    add: (op, attrs, operands) => context.add(op, attrs, operands),
    addMany: (op, attrs, operands) => context.addMany(op, attrs, operands),
    operandsReady: () => context.operandsReady(),
    literal: (name, data) => context.literal(name, data),
    cast: (value, dtype) => context.cast(value, dtype),
    unsupported: (what, remedy) => context.unsupported(what, remedy),
  };
}

interface Operand {
  readonly value: Value;
  readonly grid: Quant;
}

/** An operand as reals. Integers that the network receives are put on the grid, which changes no number. */
function importOperand(context: ImportContext, slots: OperandSlots): Operand {
  const x = context.input(slots.codes);
  const { dtype, shape, quant } = x.type;
  if (dtype !== 'i8' && dtype !== 'u8')
    return context.unsupported(`${context.type} of ${dtype}${show(shape)}`, 'Its operands must be int8 or uint8.');
  const grid = importGrid(context, dtype, shape, slots);
  const value = codesAsReals(context, x, grid);
  const plain = !x.data && quant === undefined;
  return { value: plain ? context.add('dequantize', {}, [realsAsCodes(context, value, grid)]) : value, grid };
}

/** The grid of a bias: per tensor where both operands are, else per slice along its last axis. */
function biasGrid(bias: Value, x: Quant, w: Quant, factor: number): Quant {
  const unit = (c: number): number => Math.fround(scaleAt(x, 0) * scaleAt(w, c) * factor);
  const axis = bias.type.shape.length - 1;
  if (w.axis === null) return perTensor('i32', unit(0));
  if (bias.type.shape[axis] !== w.scales.length)
    throw new Error(`a bias of shape ${show(bias.type.shape)} for ${w.scales.length} scales`);
  return perAxis(
    'i32',
    axis,
    Array.from(w.scales, (_, c) => unit(c)),
  );
}

function importBias(
  context: ImportContext,
  { slot, factor = 1 }: NonNullable<QuantizedOperator['bias']>,
  [x, w]: readonly Operand[],
): Value[] {
  const bias = context.optional(slot);
  if (!bias || !x || !w) return [];
  if (bias.type.dtype !== 'i32') throw new Error(`the bias has dtype ${bias.type.dtype}, int32 expected`);
  if (!(factor > 0)) context.unsupported(`${context.type} with alpha ${factor}`);
  if (x.grid.axis !== null) context.unsupported('several scales on the first operand', 'Quantize it per tensor.');
  return [codesAsReals(context, bias, biasGrid(bias, x.grid, w.grid, factor))];
}

/** The dtype of the result's codes: that of its zero point, else that of the operands. */
function resultDtype(context: ImportContext, slot: number, fallback: CodeDType): 'i8' | 'u8' {
  const dtype = context.optional(slot)?.type.dtype ?? fallback;
  if (dtype === 'i8' || dtype === 'u8') return dtype;
  return context.unsupported(`${context.type} to ${dtype}`, 'Use int8 or uint8.');
}

/** Refuses the layout that onnxruntime's own optimizations write. */
export function checkLayout(context: ImportContext): void {
  if (context.attrs.int('channels_last', 0) !== 0)
    context.unsupported(
      `${context.type} with channels_last`,
      'Use the model from before onnxruntime optimized it: channels must be dimension 1.',
    );
}

const gridSlots = ({ operands, result }: QuantizedOperator): number[] =>
  [...operands, result].flatMap(({ scale, zero }) => [scale, zero]);

const hasComputedGrid = (context: ImportContext, operator: QuantizedOperator): boolean =>
  gridSlots(operator).some((i) => context.isComputed(i));

/** With scales or zero points that the network computes: the formula on reals, and the result as plain bytes. */
function onComputedGrids(context: ImportContext, operator: QuantizedOperator, importer: OnnxImporter): Value {
  const { operands, bias, result } = operator;
  if (bias && context.optional(bias.slot)) context.unsupported(`${context.type} with a bias and computed scales`);
  const values = operands.map(({ codes, scale, zero, axis = 0 }) => {
    if (context.input(codes).type.quant) context.constant(scale);
    return dequantizePlain(context, context.input(codes), context.input(scale), context.optional(zero), axis);
  });
  context.operandsReady();
  const y = importer(withInputs(context, values)) as Value;
  const dtype = resultDtype(context, result.zero, 'u8');
  const grid = { scale: context.input(result.scale), zeroPoint: context.optional(result.zero), axis: 0, dtype };
  return quantizePlain(context, y, grid);
}

/**
 * The importer of a quantized operator: the operands dequantized, the operator on reals as `importer` reads it, its result
 * quantized; the same nodes as the QDQ form has.
 */
export function operatorForm(
  slotsOf: QuantizedOperator | ((context: ImportContext) => QuantizedOperator),
  importer: OnnxImporter,
): OnnxImporter {
  return (context) => {
    checkLayout(context);
    const operator = typeof slotsOf === 'function' ? slotsOf(context) : slotsOf;
    if (hasComputedGrid(context, operator)) return onComputedGrids(context, operator, importer);
    const { operands, bias, result } = operator;
    const read = operands.map((slots) => importOperand(context, slots));
    const values = [...read.map(({ value }) => value), ...(bias === undefined ? [] : importBias(context, bias, read))];
    context.operandsReady();
    const y = importer(withInputs(context, values)) as Value;
    if (result.optional && !context.optional(result.scale)) return y;
    const dtype = resultDtype(context, result.zero, read[0]?.grid.dtype ?? 'u8');
    const grid = importGrid(context, dtype, y.type.shape, result);
    if (grid.axis !== null) context.unsupported('several scales on the result', 'Quantize it per tensor.');
    return realsAsCodes(context, y, grid);
  };
}

/** The importer of a quantized operator with `count` operands, each with its grid, and the result's grid behind them. */
export const quantizedOp = (count: number, importer: OnnxImporter): OnnxImporter =>
  operatorForm({ operands: triples(count), result: { scale: 3 * count, zero: 3 * count + 1 } }, importer);
