import {
  type CodeStorage,
  type Epilogue,
  type EpilogueArgs,
  holdsCodes,
  type Isa,
  type Storage,
} from '../../codegen/kernel.js';
import { type Arg, type LowerContext, laneStorage, NO_HALO, refOf, type View } from '../../codegen/lowering.js';
import { productIsa } from '../../codegen/select.js';
import type { Attrs } from '../../ir/graph.js';
import { numbers } from '../../ir/tensor.js';
import { isCodes, type Quant, quantaOf, scaleAt } from '../../ir/type.js';
import { type Activation, clampBounds } from '../../quant/activation.js';
import { biasAddsToSums } from '../../quant/bias.js';
import { codeBounds } from '../../quant/bounds.js';
import { sumScaling } from '../../quant/requantize-scale.js';
import { toReal } from '../../quant/tensors.js';
import { assert, modelError } from '../../support/errors.js';
import { codeReach, operandScale } from '../codes.js';

/** Arrays per channel are padded to this many channels, so that kernels may read whole tiles. */
const CHANNEL_PADDING = 16;

/** Sums below this many quanta survive the rounding by a magic number without a clamp before it. */
export const MAGIC_LIMIT = 2 ** 22;

/** What a product lowering hands to its kernel: the epilogue, and its arguments for one group of channels. */
export interface PlannedEpilogue {
  readonly epilogue: Epilogue;
  /** Arguments for the channels [first, first + count), for image `batch`. */
  args(first: number, count: number, batch: number): EpilogueArgs<Arg>;
  /** The same for int32 sums that are `factor`, a power of two, times as large; null where that is not exact. */
  times(factor: number): PlannedEpilogue | null;
}

/** The sums that the epilogue follows. */
export interface Sums {
  readonly channels: number;
  readonly activation: Activation | null;
  /** For codes: per channel, sum of |centred weight|. */
  readonly weightSums?: Float64Array;
  /** The kernel's sums of codes are this many times the true ones. */
  readonly factor?: number;
  /** What the kernel adds to the sums of codes per channel, for the bias to take off; only where no bias is added to scaled sums. */
  readonly added?: Float64Array;
}

/** Values per channel, followed by zeros up to what kernels may read. */
export const padded = (values: readonly number[]): number[] => {
  const n = Math.ceil(values.length / CHANNEL_PADDING) * CHANNEL_PADDING;
  return [...values, ...new Array<number>(n - values.length).fill(0)];
};

/**
 * The epilogue of a convolution or product node: inputs [x, w, bias?, residual?]. Codes follow the numeric contract
 * (docs/quantization.md); with real operands the accumulator starts at the bias.
 */
export function planEpilogue(context: LowerContext, sums: Sums): PlannedEpilogue {
  if (context.hasInput(2) && !context.constant(2)) {
    const { id, origin } = context.node;
    throw modelError('a convolution needs a constant bias', { node: `${origin.type} (${id}) "${origin.name}"` });
  }
  return isCodes(context.inputType(0)) ? planCodes(context, sums) : planReals(context, sums);
}

function residualOf(context: LowerContext): { view: View; plan: Epilogue['residual'] } | null {
  if (!context.hasInput(3)) return null;
  const view = context.input(3, { nhwc: NO_HALO });
  return { view, plan: { storage: laneStorage(view), pix: view.strides[3] as number, row: view.strides[2] as number } };
}

const residualRef = (view: View, first: number, batch: number): Arg =>
  refOf(view, batch * (view.strides[0] as number) + first);

function planReals(context: LowerContext, { activation }: Sums): PlannedEpilogue {
  const bias = context.hasInput(2) ? context.constant(2) : null;
  const values = bias ? Array.from(toReal(bias).data as Float32Array) : null;
  const residual = residualOf(context);
  return {
    epilogue: {
      sum: 'f32',
      bias: values ? 'f32' : 'none',
      residual: residual?.plan ?? null,
      activation: activation as (Activation & Attrs) | null,
      output: { storage: 'f32' },
    },
    args: (first, count, batch) => ({
      ...(values ? { bias: context.data(Float32Array.from(padded(values.slice(first, first + count)))) } : {}),
      ...(residual ? { residual: residualRef(residual.view, first, batch), residualScale: 1 } : {}),
    }),
    times: () => null,
  };
}

/** Per-channel factors and biases of int32 sums: to quanta of the output grid, or to real units where it is null. */
function codeFactors(context: LowerContext, channels: number, output: Quant | null) {
  const x = context.inputType(0).quant as Quant;
  const w = context.inputType(1).quant as Quant;
  const bias = context.hasInput(2) ? context.constant(2) : null;
  const each = Array.from({ length: channels }, (_, c) => c);
  const inSums = bias !== null && biasAddsToSums(bias.type.quant, x, w, channels);
  const codes = bias && inSums ? numbers(bias) : null;
  const reals = bias && !inSums ? Array.from(toReal(bias).data as Float32Array) : null;
  const target = { output, residual: context.hasInput(3) };
  const addend = (c: number) =>
    codes ? { code: codes[c] as number, scale: scaleAt(bias?.type.quant as Quant, c) } : reals?.[c];
  const scalings = each.map((c) => sumScaling(scaleAt(x, 0), scaleAt(w, c), { ...target, bias: addend(c) }));
  const scale = scalings.map((s) => s.scale);
  return { scale, bias: codes ?? (reals && scalings.map((s) => s.bias)), inSums };
}

function planCodes(context: LowerContext, sums: Sums): PlannedEpilogue {
  const { channels, activation, weightSums, factor = 1, added } = sums;
  const out = context.outputType();
  const q = isCodes(out) ? (out.quant as Quant) : null;
  const direct = q !== null && (activation === null || clampBounds(activation) !== null);
  const unit = direct ? scaleAt(q, 0) : 1;
  const { scale, inSums: biasInSums, bias } = codeFactors(context, channels, direct ? q : null);
  const inSums = biasInSums || added !== undefined;
  assert(!added || !bias || biasInSums, 'the bias is added to the sums');
  const stored = added ? Array.from(added, (sum, c) => (bias?.[c] ?? 0) - sum) : bias;
  const residual = residualOf(context);
  const residualScale = residual ? Math.fround(operandScale(context.inputType(3)) / unit) : 0;
  const kept = direct ? null : (activation as (Activation & Attrs) | null);
  const reach = codeReach(context.inputType(0));
  const addend = (c: number): number => Math.abs(bias?.[c] ?? 0);
  const largest = scale.map((_, c) => (weightSums?.[c] ?? Number.POSITIVE_INFINITY) * reach + (inSums ? addend(c) : 0));
  const most = Math.max(...scale.map((s, c) => s * (largest[c] as number) + (inSums ? 0 : addend(c))));
  const bounded = residual !== null && holdsCodes(residual.view.storage);
  const residualMost = !residual ? 0 : bounded ? 511 * residualScale : Number.POSITIVE_INFINITY;
  const proven = direct && most + residualMost < MAGIC_LIMIT;
  const [lo, hi] = q ? codeBounds(q, direct ? activation : null) : [0, 0];
  const storage = q ? codeStorageOf(context.output()) : 'i16';
  return {
    epilogue: {
      sum: 'i32',
      bias: stored ? (inSums ? 'i32' : 'f32') : 'none',
      residual: residual?.plan ?? null,
      activation: kept,
      output: q ? { storage, ...roundingOf(q, kept), proven, ...saturating(storage, [lo, hi]) } : { storage: 'f32' },
    },
    args: (first, count, batch) => {
      const part = (values: readonly number[]): number[] => padded(values.slice(first, first + count));
      return {
        ...(stored
          ? {
              bias: context.data(
                inSums ? Int32Array.from(part(stored), (b) => b * factor) : Float32Array.from(part(stored)),
              ),
            }
          : {}),
        scale: context.data(Float32Array.from(part(scale), (s) => s / factor)),
        ...(residual ? { residual: residualRef(residual.view, first, batch), residualScale } : {}),
        ...(q ? { lo, hi } : {}),
        ...(q && kept ? { outputScale: quantaOf(q).factor } : {}),
      };
    },
    // f32(4 * acc) * f32(m / 4) is f32(acc) * m wherever 4 * acc is an int32 and m / 4 a float
    times: (by) =>
      by * Math.max(...largest) < 2 ** 31 && scale.every((m) => Math.fround(m / by) * by === m)
        ? planCodes(context, { ...sums, factor: by })
        : null,
  };
}

/** Whether storing clamps to the upper bound by itself. */
export const saturating = (storage: Storage, [, hi]: readonly number[]): { readonly saturates?: true } =>
  storage === 'i8' && hi === 127 ? { saturates: true } : {};

/** How a kernel rounds to a grid; `activation` is what it computes on real values before. */
export const roundingOf = (q: Quant, activation: Activation | null) => ({
  rounding: q.rounding,
  ...(q.reciprocal && activation ? { reciprocal: q.reciprocal } : {}),
});

/** The storage of a view of codes. */
export function codeStorageOf({ storage }: View): CodeStorage {
  assert(holdsCodes(storage), 'codes are stored as codes');
  return storage;
}

/** The instructions for the products of operand 0, stored as `x`, with constant weights. */
export const operandIsa = (context: LowerContext, x: View): Isa =>
  x.storage === 'i8' ? productIsa(context.target, context.range(0), context.range(1)) : 'simd';
