import type { Attrs } from '../../ir/graph.js';
import type { Rounding } from '../../ir/type.js';
import { type Activation, applyActivation } from '../../quant/activation.js';
import { roundToCode } from '../../quant/requantize.js';
import type { Local, Stmt, V128 } from '../builder/expr.js';
import type { FunctionBuilder } from '../builder/function.js';
import { type CodeStorage, holdsCodes, type KernelDef, type Split, STORAGE_BYTES, type Storage } from '../kernel.js';
import { emitActivation } from './activation.js';
import { applyFurtherBinary, emitFurtherBinary, type FurtherBinary, isFurtherBinary } from './binary-functions.js';
import { elementsOf } from './elements.js';
import type { CodeRounder } from './epilogue-emit.js';
import {
  codeRounder,
  ELEMENT_WORK,
  emitElementwise,
  halves,
  loadHalves,
  loadReals,
  type Stream,
  storeReals,
  storeRounded,
  vectorNest,
} from './lanes.js';
import type { Computed } from './math.js';
import { collapse, cutOf, partDims, walk } from './nest.js';

/**
 * Elementwise operations of two operands with broadcasting over a strided nest.
 *
 * Arguments: [a, b, target (byte addresses), ...factors, ...output]:
 *
 * - factors, only where an operand is codes: add, sub, min, max, div: ma f32, mb f32 (a and b are multiplied by them, one
 *   that is f32 too); mul: m f32 (the product is multiplied by it).
 * - output, only for codes: [outputScale f32 where `usesOutputScale(params)`], lo i32, hi i32 (centred bounds).
 *
 * The value is v = f32(f32(a * ma) op f32(b * mb)), for mul f32(f32(a * b) * m), then the activation; without codes
 * there are no factors. For codes as output the factors are in output quanta unless `usesOutputScale`: then they
 * are in real units and the value is divided by outputScale. Then it is rounded and clamped; NaN becomes lo.
 *
 * The target may equal an operand with the same storage and strides.
 */
export interface BinaryParams {
  readonly op: BinaryOp;
  /** Sizes of the nest, outermost first. */
  readonly dims: readonly number[];
  readonly a: Operand;
  readonly b: Operand;
  /** Element strides of the target, never 0 where the dimension is larger than 1. */
  readonly target: readonly number[];
  /** For f32 output every activation; for codes only those that are not clamps. */
  readonly activation: (Activation & Attrs) | null;
  readonly output:
    | { readonly storage: 'f32' }
    | {
        readonly storage: CodeStorage;
        readonly rounding: Rounding;
        /** outputScale is a factor, not a divisor. */
        readonly reciprocal?: true;
        /** Proven: |value in output quanta| < 2^22, so that no clamp is needed before the rounding. */
        readonly proven?: true;
        /** The upper bound is 127 and the storage i8: narrowing clamps there. */
        readonly saturates?: true;
      };
}

/** Those of `FurtherBinary` are for reals only. */
export type BinaryOp = 'add' | 'sub' | 'mul' | 'div' | 'min' | 'max' | FurtherBinary;

/** How an operand lies in memory. */
export interface Operand {
  readonly storage: Storage;
  /** Element strides per dimension; 0 broadcasts. */
  readonly strides: readonly number[];
}

/** Whether the factors are in real units and the value is divided by an outputScale argument before rounding. */
export const usesOutputScale = (p: BinaryParams): boolean =>
  holdsCodes(p.output.storage) &&
  (p.activation !== null || p.op === 'div' || (p.a.storage === 'f32' && p.b.storage === 'f32'));

/** Whether outputScale is a divisor. */
const dividesBy = (p: BinaryParams): boolean => p.output.storage === 'f32' || !p.output.reciprocal;

const hasCodes = (p: BinaryParams): boolean => holdsCodes(p.a.storage) || holdsCodes(p.b.storage);

/** Number of factor arguments. */
const factorCount = (p: BinaryParams): number => (hasCodes(p) ? (p.op === 'mul' ? 1 : 2) : 0);

const shapeOf = (p: BinaryParams) => ({ dims: p.dims, strides: [p.a.strides, p.b.strides, p.target] });

/** Emits the work on the elements of one step. */
class BinaryStep {
  readonly setup: Stmt[] = [];
  private readonly f: FunctionBuilder;
  private readonly p: BinaryParams;
  private readonly factors: readonly Local<'v128'>[];
  private readonly outputScale: Local<'v128'> | null = null;
  private readonly codes: CodeRounder | null = null;
  /** Operands that are one element for a whole run, by operand. */
  private readonly repeated: readonly [Local<'v128'>, Local<'v128'>];
  private readonly values: readonly Local<'v128'>[];

  constructor(f: FunctionBuilder, p: BinaryParams) {
    this.f = f;
    this.p = p;
    let next = 3;
    const splatted = (): Local<'v128'> => {
      const local = f.local('v128');
      this.setup.push(local.set(f.splat('f32x4', f.param(next++, 'f32'))));
      return local;
    };
    this.factors = Array.from({ length: factorCount(p) }, splatted);
    if (usesOutputScale(p)) this.outputScale = splatted();
    if (p.output.storage !== 'f32') {
      const { rounding } = p.output;
      this.codes = codeRounder(f, rounding, f.param(next, 'i32'), f.param(next + 1, 'i32'), p.output);
      this.setup.push(...this.codes.setup);
    }
    this.repeated = [f.local('v128'), f.local('v128')];
    this.values = f.vectors(2);
  }

  /** An operand times its factor, for mul without. */
  private scaled(x: V128, index: 0 | 1): V128 {
    const factor = this.p.op === 'mul' ? undefined : this.factors[index];
    return factor ? this.f.op('f32x4', 'mul', x, factor) : x;
  }

  /** At the start of a run: the operands that do not move along it. */
  before(streams: readonly Stream[]): Stmt[] {
    return ([0, 1] as const).flatMap((i) => {
      const s = streams[i]!;
      return s.stride === 0 ? [this.repeated[i].set(this.scaled(loadReals(this.f, s, 0, 1), i))] : [];
    });
  }

  private combine(a: V128, b: V128): Computed {
    const { op } = this.p;
    if (isFurtherBinary(op)) return emitFurtherBinary(this.f, op, a, b);
    const v = this.f.op('f32x4', op === 'min' ? 'pmin' : op === 'max' ? 'pmax' : op, a, b);
    const value = op === 'mul' && this.factors[0] ? this.f.op('f32x4', 'mul', v, this.factors[0]) : v;
    return { setup: [], value };
  }

  /** Sets `values[half]` to four results of two operands, in output quanta where the output is codes. */
  private compute(x: V128, y: V128, half: number): Stmt[] {
    const value = this.values[half]!;
    const combined = this.combine(x, y);
    const out: Stmt[] = [...combined.setup, value.set(combined.value)];
    if (this.p.activation) {
      const activated = emitActivation(this.f, this.p.activation, value);
      out.push(...activated.setup, value.set(activated.value));
    }
    if (this.outputScale)
      out.push(value.set(this.f.op('f32x4', dividesBy(this.p) ? 'div' : 'mul', value, this.outputScale)));
    return out;
  }

  step(streams: readonly Stream[], count: number): Stmt[] {
    const used = halves(count);
    const operands = ([0, 1] as const).map((i) => {
      const s = streams[i]!;
      if (s.stride === 0) return { setup: [], reals: [this.repeated[i], this.repeated[i]] };
      const { setup, reals } = loadHalves(this.f, s, count);
      return { setup, reals: reals.map((x) => this.scaled(x, i)) };
    });
    const computed = [
      ...operands.flatMap(({ setup }) => setup),
      ...used.flatMap(({ half }) => this.compute(operands[0]!.reals[half]!, operands[1]!.reals[half]!, half)),
    ];
    const target = streams[2]!;
    if (this.codes)
      return [...computed, ...storeRounded(this.f, this.codes, target, this.values.slice(0, used.length), count)];
    return [
      ...computed,
      ...used.flatMap(({ half, part }) => storeReals(this.f, target, this.values[half]!, half, part)),
    ];
  }
}

function emit(f: FunctionBuilder, p: BinaryParams): Stmt[] {
  const step = new BinaryStep(f, p);
  const shape = vectorNest(collapse(shapeOf(p)));
  const storages = [p.a.storage, p.b.storage, p.output.storage];
  const operands = storages.map((storage, i) => ({ ptr: f.param(i, 'i32'), storage }));
  return [
    ...step.setup,
    emitElementwise(
      f,
      shape,
      operands,
      (streams, count) => step.step(streams, count),
      (streams) => step.before(streams),
    ),
  ];
}

const f32 = Math.fround;

/** min and max take the first operand unless the second is smaller or larger, as f32x4.pmin and pmax do. */
function combine(op: BinaryOp, x: number, y: number): number {
  switch (op) {
    case 'add':
      return f32(x + y);
    case 'sub':
      return f32(x - y);
    case 'mul':
      return f32(x * y);
    case 'div':
      return f32(x / y);
    case 'min':
      return y < x ? y : x;
    case 'max':
      return x < y ? y : x;
    default:
      return applyFurtherBinary(op, x, y);
  }
}

function reference(p: BinaryParams, memory: ArrayBuffer, args: readonly number[]): void {
  const storages = [p.a.storage, p.b.storage, p.output.storage];
  const [a, b, target] = storages.map((s) => elementsOf(memory, s));
  const [a0, b0, t0] = storages.map((s, i) => args[i]! / STORAGE_BYTES[s]);
  const rest = args.slice(3);
  const factors = rest.splice(0, factorCount(p)).map(f32);
  const outputScale = usesOutputScale(p) ? f32(rest.shift()!) : null;
  const [lo, hi] = rest;
  const [ma, mb] = p.op === 'mul' ? [] : factors;
  walk(shapeOf(p), ([i, j, k]) => {
    const x = a![a0! + i!]!;
    const y = b![b0! + j!]!;
    let v = combine(p.op, ma === undefined ? x : f32(x * ma), mb === undefined ? y : f32(y * mb));
    if (p.op === 'mul' && factors.length) v = f32(v * factors[0]!);
    if (p.activation) v = applyActivation(p.activation, v);
    if (outputScale !== null) v = f32(dividesBy(p) ? v / outputScale : v * outputScale);
    target![t0! + k!] = p.output.storage !== 'f32' ? roundToCode(v, p.output.rounding, lo!, hi!) : v;
  });
}

/** Parts are runs along one dimension. */
function split(p: BinaryParams): Split<BinaryParams> {
  const cut = cutOf(shapeOf(p));
  const { axis, unit } = cut;
  const operands = [p.a, p.b, { storage: p.output.storage, strides: p.target }];
  return {
    work: ELEMENT_WORK * p.dims.reduce((a, b) => a * b, 1),
    units: Math.ceil((p.dims[axis] ?? 1) / unit),
    part: (first, count) => ({
      params: { ...p, dims: partDims(p.dims, cut, first, count) },
      offsets: operands.map(({ storage, strides }) => first * unit * (strides[axis] ?? 0) * STORAGE_BYTES[storage]),
    }),
  };
}

/** Elementwise operations of two operands; see `BinaryParams`. */
export const binaryKernel: KernelDef<BinaryParams> = {
  name: (p) => {
    const { storage } = p.output;
    const activation = p.activation ? `-${p.activation.kind}` : '';
    return `${p.a.storage}-${p.op}-${p.b.storage}${activation}-${storage}-simd`;
  },
  signature: (p) => ({
    params: [
      ...(['i32', 'i32', 'i32'] as const),
      ...Array.from({ length: factorCount(p) + (usesOutputScale(p) ? 1 : 0) }, () => 'f32' as const),
      ...(holdsCodes(p.output.storage) ? (['i32', 'i32'] as const) : []),
    ],
  }),
  emit,
  reference,
  split,
};
