import type { Attrs } from '../../ir/graph.js';
import type { Rounding } from '../../ir/type.js';
import { type Activation, applyActivation } from '../../quant/activation.js';
import { erf, exp, log, SCALAR, softplus } from '../../quant/math.js';
import { roundToCode } from '../../quant/requantize.js';
import { roundEven } from '../../quant/rounding.js';
import { unreachable } from '../../support/errors.js';
import type { Stmt } from '../builder/expr.js';
import type { FunctionBuilder } from '../builder/function.js';
import { type KernelDef, type Split, STORAGE_BYTES, type Storage } from '../kernel.js';
import { elementsOf } from './elements.js';
import { ELEMENT_WORK, emitElementwise, vectorNest } from './lanes.js';
import { emitBlocks, transposedBlocks } from './map-blocks.js';
import { stepOf } from './map-steps.js';
import { collapse, cutOf, emitNest, outerNest, partDims, walk } from './nest.js';
import { applyFurtherUnary, type FurtherUnary } from './unary-functions.js';

/**
 * Unary maps over a strided nest: target[i] = op(source[i]).
 *
 * Arguments: [source, target, ...op arguments], addresses in bytes. Op arguments by `op.kind`:
 *
 * | kind | storage | arguments |
 * |---|---|---|
 * | copy | codes -> codes, f32 -> f32 | |
 * | quantize | f32 -> codes | scale f32, lo i32, hi i32: clamp(round(f32(x / scale)), lo, hi), NaN becomes lo |
 * | dequantize | codes -> f32 | scale f32: f32(f32(q) * scale) |
 * | requantize | any -> codes | m f32, lo i32, hi i32: clamp(round(f32(f32(q) * m)), lo, hi) |
 * | clamp | codes -> codes | lo i32, hi i32 |
 * | table | codes -> codes | table address (i16 entries), offset i32: table[q + offset] |
 * | activation | f32 -> f32 | |
 * | unary | f32 -> f32 | |
 *
 * Codes are centred, so are the bounds and the entries of tables; what is stored as i8 lies in 0..127. A target may equal its source (same storage and
 * strides), but must not overlap it otherwise.
 */
export interface MapParams {
  /** Sizes of the nest, outermost first. */
  readonly dims: readonly number[];
  /** Storages of source and target. */
  readonly from: Storage;
  readonly to: Storage;
  /** Element strides of the source per dimension; 0 repeats it. */
  readonly source: readonly number[];
  /** Element strides of the target per dimension, never 0 where the dimension is larger than 1. */
  readonly target: readonly number[];
  readonly op: MapOp;
}

/** What becomes of each element; `MapParams` lists the arguments. */
export type MapOp =
  | { readonly kind: 'copy' }
  | { readonly kind: 'quantize'; readonly rounding: Rounding }
  | { readonly kind: 'dequantize' }
  | { readonly kind: 'requantize'; readonly rounding: Rounding }
  | { readonly kind: 'clamp' }
  | { readonly kind: 'table' }
  | { readonly kind: 'activation'; readonly activation: Activation & Attrs }
  | { readonly kind: 'unary'; readonly fn: UnaryFunction };

/** Float functions of `unary` maps. */
export type UnaryFunction =
  | 'exp'
  | 'log'
  | 'sqrt'
  | 'erf'
  | 'neg'
  | 'abs'
  | 'reciprocal'
  | 'floor'
  | 'ceil'
  | 'round'
  | 'softplus'
  | 'square'
  | FurtherUnary;

/** Types of the op arguments behind source and target. */
function opSignature(op: MapOp): readonly ('i32' | 'f32')[] {
  switch (op.kind) {
    case 'quantize':
    case 'requantize':
      return ['f32', 'i32', 'i32'];
    case 'dequantize':
      return ['f32'];
    case 'clamp':
    case 'table':
      return ['i32', 'i32'];
    default:
      return [];
  }
}

/** Contiguous runs of at least so many bytes are copied with memory.copy, which costs a call. */
const COPY_BYTES = 512;

function emit(f: FunctionBuilder, p: MapParams): Stmt[] {
  const collapsed = collapse({ dims: p.dims, strides: [p.source, p.target] });
  const blocks = transposedBlocks(p.op, collapsed, [p.from, p.to]);
  if (blocks) return emitBlocks(f, stepOf(f, p.op, p.to), collapsed, blocks);
  const shape = vectorNest(collapsed);
  const [source, target] = [f.param(0, 'i32'), f.param(1, 'i32')];
  const { from, to } = p;
  const run = shape.dims.at(-1)! * STORAGE_BYTES[from];
  if (p.op.kind === 'copy' && from === to && shape.strides.every((s) => s.at(-1) === 1) && run >= COPY_BYTES) {
    const outer = outerNest(shape);
    const strides = outer.strides.map((list) => list.map((s) => s * STORAGE_BYTES[from]));
    const pointers = [source, target].map((ptr, i) => ({ ptr, strides: strides[i]! }));
    return [emitNest(f, outer.dims, pointers, [f.copy(target, source, run)])];
  }
  const step = stepOf(f, p.op, to);
  const operands = [
    { ptr: source, storage: from },
    { ptr: target, storage: to },
  ];
  return [...step.setup, emitElementwise(f, shape, operands, ([s, t], count) => step.emit(s!, t!, count))];
}

const f32 = Math.fround;

/** A function of `unary` maps for one number, in float32. */
export function applyUnary(fn: UnaryFunction, x: number): number {
  switch (fn) {
    case 'exp':
      return exp(x);
    case 'log':
      return log(x);
    case 'erf':
      return erf(x);
    case 'softplus':
      return softplus(x);
    case 'sqrt':
      return f32(Math.sqrt(x));
    case 'neg':
      return -x;
    case 'abs':
      return Math.abs(x);
    case 'reciprocal':
      return f32(1 / x);
    case 'floor':
      return Math.floor(x);
    case 'ceil':
      return Math.ceil(x);
    case 'round':
      return SCALAR.withSign(Math.abs(roundEven(x)), x);
    case 'square':
      return f32(x * x);
    default:
      return applyFurtherUnary(fn, x);
  }
}

/** The op on one element; codes are centred. */
function scalarOf(op: MapOp, memory: ArrayBuffer, args: readonly number[]): (x: number) => number {
  const [first, second, third] = args.slice(2) as [number, number, number];
  const factor = f32(first);
  switch (op.kind) {
    case 'copy':
      return (x) => x;
    case 'quantize':
      return (x) => roundToCode(f32(x / factor), op.rounding, second, third);
    case 'requantize':
      return (x) => roundToCode(f32(x * factor), op.rounding, second, third);
    case 'dequantize':
      return (x) => f32(x * factor);
    case 'clamp':
      return (x) => Math.min(Math.max(x, first), second);
    case 'table': {
      const codes = new Int16Array(memory);
      return (x) => codes[first / 2 + x + second]!;
    }
    case 'activation':
      return (x) => applyActivation(op.activation, x);
    case 'unary':
      return (x) => applyUnary(op.fn, x);
    default:
      return unreachable(op);
  }
}

function reference(p: MapParams, memory: ArrayBuffer, args: readonly number[]): void {
  // copies go by bit patterns, so that any NaN stays as it is
  const view = (s: Storage) => (s === 'f32' && p.op.kind === 'copy' ? new Int32Array(memory) : elementsOf(memory, s));
  const { from, to } = p;
  const [source, target] = [view(from), view(to)];
  const [s0, t0] = [args[0]! / STORAGE_BYTES[from], args[1]! / STORAGE_BYTES[to]];
  const scalar = scalarOf(p.op, memory, args);
  walk({ dims: p.dims, strides: [p.source, p.target] }, ([s, t]) => {
    target[t0 + t!] = scalar(source[s0 + s!]!);
  });
}

/** Parts are runs along one dimension. */
function split(p: MapParams): Split<MapParams> {
  const cut = cutOf({ dims: p.dims, strides: [p.source, p.target] });
  const { axis, unit } = cut;
  const size = p.dims[axis] ?? 1;
  return {
    work: ELEMENT_WORK * p.dims.reduce((a, b) => a * b, 1),
    units: Math.ceil(size / unit),
    part: (first, count) => ({
      params: { ...p, dims: partDims(p.dims, cut, first, count) },
      offsets: [
        first * unit * p.source[axis]! * STORAGE_BYTES[p.from],
        first * unit * p.target[axis]! * STORAGE_BYTES[p.to],
      ],
    }),
  };
}

/** Unary maps; see `MapParams`. */
export const mapKernel: KernelDef<MapParams> = {
  name: ({ op, from, to }) => {
    const detail = op.kind === 'unary' ? op.fn : op.kind === 'activation' ? op.activation.kind : op.kind;
    return `${from === to ? from : `${from}-${to}`}-${detail}-simd`;
  },
  signature: ({ op }) => ({ params: ['i32', 'i32', ...opSignature(op)] }),
  emit,
  reference,
  split,
};
