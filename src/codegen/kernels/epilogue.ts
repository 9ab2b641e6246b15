import { applyActivation } from '../../quant/activation.js';
import { roundToCode, scaledSum } from '../../quant/requantize.js';
import { assert } from '../../support/errors.js';
import { type Epilogue, type EpilogueArgs, holdsCodes, STORAGE_BYTES } from '../kernel.js';
import { readElement, writeElement } from './elements.js';

/** Every argument that an epilogue can have, in the order in which they are passed. */
const ARGUMENT_TYPES = {
  bias: 'i32',
  scale: 'i32',
  residual: 'i32',
  residualScale: 'f32',
  lo: 'i32',
  hi: 'i32',
  outputScale: 'f32',
} as const;

/** The name of one argument of an epilogue. */
export type EpilogueArgument = keyof typeof ARGUMENT_TYPES;

/** The arguments that an epilogue has, in order. */
export function epilogueArgumentNames(e: Epilogue): EpilogueArgument[] {
  const codes = holdsCodes(e.output.storage);
  const applies: Record<EpilogueArgument, boolean> = {
    bias: e.bias !== 'none',
    scale: e.sum === 'i32',
    residual: e.residual !== null,
    residualScale: e.residual !== null,
    lo: codes,
    hi: codes,
    outputScale: codes && e.activation !== null,
  };
  return (Object.keys(ARGUMENT_TYPES) as EpilogueArgument[]).filter((name) => applies[name]);
}

/** Types of the run-time arguments of an epilogue. */
export const epilogueSignature = (e: Epilogue): ('i32' | 'f32')[] =>
  epilogueArgumentNames(e).map((name) => ARGUMENT_TYPES[name]);

/** The run-time arguments of an epilogue in the order of its signature; those that do not apply are left out. */
export function epilogueArguments<A>(e: Epilogue, args: EpilogueArgs<A>): (A | number)[] {
  return epilogueArgumentNames(e).map((name) => {
    const value = args[name];
    assert(value !== undefined, `epilogue argument ${name} is missing`);
    return value;
  });
}

/** Whether accumulators start at the bias; otherwise it is added to the scaled sum. */
export const startsAtBias = ({ bias, sum }: Epilogue): boolean => bias === 'i32' || (bias === 'f32' && sum === 'f32');

/** The epilogue's part of a kernel's name. */
export function epilogueName(e: Epilogue): string {
  const parts: string[] = [e.output.storage === 'f32' ? 'float' : 'requant'];
  if (e.residual) parts.push('add');
  if (e.activation) parts.push(e.activation.kind);
  return parts.join('-');
}

/** Where one sum belongs in the output. */
export interface SumPosition {
  readonly y: number;
  readonly x: number;
  readonly column: number;
}

/** Bytes that the arguments of an epilogue move by for a part of the output that starts at a position. */
export const epilogueOffsets = (e: Epilogue, { y, x, column }: SumPosition): number[] =>
  epilogueArgumentNames(e).map((name) => {
    if (name === 'bias' || name === 'scale') return 4 * column;
    const { residual } = e;
    if (name !== 'residual' || !residual) return 0;
    return (y * residual.row + x * residual.pix + column) * STORAGE_BYTES[residual.storage];
  });

/** The epilogue of one kernel call in plain code. */
export interface EpilogueReference {
  /** The first value of the accumulator of a column. */
  start(column: number): number;
  /** Finishes a sum and stores it as element `index` of the output at byte address `output`. */
  finish(sum: number, at: SumPosition, output: number, index: number): void;
}

/** The value of a finished sum before its activation, in output quanta or in real units. */
function realOf(e: Epilogue, view: DataView, args: EpilogueArgs, sum: number, at: SumPosition): number {
  const column = at.column * 4;
  const residual = e.residual && {
    value: readElement(
      view,
      e.residual.storage,
      args.residual as number,
      at.y * e.residual.row + at.x * e.residual.pix + at.column,
    ),
    scale: args.residualScale as number,
  };
  const addends = {
    ...(e.bias === 'f32' && e.sum === 'i32' ? { bias: view.getFloat32((args.bias as number) + column, true) } : {}),
    ...(residual ? { residual } : {}),
  };
  const scale = e.sum === 'i32' ? view.getFloat32((args.scale as number) + column, true) : 1;
  return scaledSum(sum, scale, addends);
}

/** The epilogue for the references of kernels; `values` are the arguments in the order of the signature. */
export function epilogueReference(e: Epilogue, view: DataView, values: readonly number[]): EpilogueReference {
  const args: EpilogueArgs = Object.fromEntries(epilogueArgumentNames(e).map((name, i) => [name, values[i]]));
  const start = (column: number): number => {
    if (!startsAtBias(e)) return 0;
    const at = (args.bias as number) + column * 4;
    return e.bias === 'i32' ? view.getInt32(at, true) : view.getFloat32(at, true);
  };
  const finish = (sum: number, at: SumPosition, output: number, index: number): void => {
    const value = realOf(e, view, args, sum, at);
    const active = e.activation ? applyActivation(e.activation, value) : value;
    if (e.output.storage === 'f32') return writeElement(view, 'f32', output, index, active);
    const scale = args.outputScale as number;
    const scaled = e.output.reciprocal ? active * scale : active / scale;
    const quanta = e.activation ? Math.fround(scaled) : active;
    const code = roundToCode(quanta, e.output.rounding, args.lo as number, args.hi as number);
    writeElement(view, e.output.storage, output, index, code);
  };
  return { start, finish };
}

/** The output image of a product and the steps through its input, in elements. */
interface OutputImage {
  readonly rows: number;
  readonly cols: number;
  readonly rowStride: number;
  readonly pixStride: number;
  readonly outRow: number;
  readonly outPix: number;
}

/**
 * Finishes every element of an output image of `columns` columns at byte address `output`. `sum` gives the sum of a
 * column at a pixel, which is the index of the pixel's first element in the input.
 */
export function finishImage(
  { finish }: EpilogueReference,
  p: OutputImage,
  columns: number,
  output: number,
  sum: (pixel: number, column: number) => number,
): void {
  for (let y = 0; y < p.rows; y++)
    for (let x = 0; x < p.cols; x++)
      for (let column = 0; column < columns; column++) {
        const index = y * p.outRow + x * p.outPix + column;
        finish(sum(y * p.rowStride + x * p.pixStride, column), { y, x, column }, output, index);
      }
}

/** An accumulator with one more product: exact int32 for codes, one float32 rounding at a time for reals. */
export const addProduct = (codes: boolean, acc: number, product: number): number =>
  codes ? (acc + product) | 0 : Math.fround(acc + Math.fround(product));
