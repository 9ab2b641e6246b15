import type { Epilogue, EpilogueArgs } from '../../codegen/kernel.js';
import { type Arg, type LowerContext, NO_HALO, refOf, type View } from '../../codegen/lowering.js';
import type { Attrs } from '../../ir/graph.js';
import { numbers } from '../../ir/tensor.js';
import { isCodes, type Quant, scaleAt, zeroPointAt } from '../../ir/type.js';
import { type Activation, clampBounds } from '../../quant/activation.js';
import { biasAddsToSums } from '../../quant/bias.js';
import { codeBounds } from '../../quant/bounds.js';
import { requantizeScale } from '../../quant/requantize.js';
import { toReal } from '../../quant/tensors.js';
import { modelError } from '../../support/errors.js';
import { operandScale } from '../codes.js';

/** Arrays per channel are padded to this many channels, so that kernels may read whole tiles. */
const CHANNEL_PADDING = 16;

/** Sums below this many quanta survive the rounding by a magic number without a clamp before it. */
const MAGIC_LIMIT = 2 ** 22;

/** What a product lowering hands to its kernel: the epilogue, and its arguments for one group of channels. */
export interface PlannedEpilogue {
  readonly epilogue: Epilogue;
  /** Arguments for the channels [first, first + count), for image `batch`. */
  args(first: number, count: number, batch: number): EpilogueArgs<Arg>;
}

/** The sums that the epilogue follows. */
export interface Sums {
  readonly channels: number;
  readonly activation: Activation | null;
  /** For codes: per channel, sum of |centred weight|. */
  readonly weightSums?: Float64Array;
}

const padded = (values: readonly number[]): number[] => {
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
  return { view, plan: { storage: view.storage, pix: view.strides[3] as number, row: view.strides[2] as number } };
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
  };
}

/** Per-channel factors and biases of int32 sums, in output quanta where `direct`, else in real units. */
function codeFactors(context: LowerContext, channels: number, unit: number) {
  const x = context.inputType(0).quant as Quant;
  const w = context.inputType(1).quant as Quant;
  const bias = context.hasInput(2) ? context.constant(2) : null;
  const each = Array.from({ length: channels }, (_, c) => c);
  const scale = each.map((c) => requantizeScale(scaleAt(x, 0), scaleAt(w, c), unit));
  if (!bias) return { scale, bias: null, inSums: false };
  const inSums = biasAddsToSums(bias.type.quant, x, w, channels);
  const values = inSums ? numbers(bias) : Array.from(toReal(bias).data as Float32Array, (b) => Math.fround(b / unit));
  return { scale, bias: values, inSums };
}

function planCodes(context: LowerContext, { channels, activation, weightSums }: Sums): PlannedEpilogue {
  const out = context.outputType();
  const q = isCodes(out) ? (out.quant as Quant) : null;
  const direct = q !== null && (activation === null || clampBounds(activation) !== null);
  const unit = direct ? scaleAt(q, 0) : 1;
  const { scale, bias, inSums } = codeFactors(context, channels, unit);
  const residual = residualOf(context);
  const residualScale = residual ? Math.fround(operandScale(context.inputType(3)) / unit) : 0;
  const kept = direct ? null : (activation as (Activation & Attrs) | null);
  const reach = reachOf(context.inputType(0).quant as Quant);
  const most = Math.max(
    ...scale.map(
      (s, c) =>
        s * ((weightSums?.[c] ?? Number.POSITIVE_INFINITY) * reach + (inSums ? Math.abs(bias?.[c] ?? 0) : 0)) +
        (inSums ? 0 : Math.abs(bias?.[c] ?? 0)),
    ),
  );
  const residualMost = !residual ? 0 : residual.view.storage === 'i16' ? 511 * residualScale : Number.POSITIVE_INFINITY;
  const proven = direct && most + residualMost < MAGIC_LIMIT;
  const [lo, hi] = q ? codeBounds(q, direct ? activation : null) : [0, 0];
  return {
    epilogue: {
      sum: 'i32',
      bias: bias ? (inSums ? 'i32' : 'f32') : 'none',
      residual: residual?.plan ?? null,
      activation: kept,
      output: q ? { storage: 'i16', rounding: q.rounding, proven } : { storage: 'f32' },
    },
    args: (first, count, batch) => {
      const part = (values: readonly number[]): number[] => padded(values.slice(first, first + count));
      return {
        ...(bias ? { bias: context.data(inSums ? Int32Array.from(part(bias)) : Float32Array.from(part(bias))) } : {}),
        scale: context.data(Float32Array.from(part(scale))),
        ...(residual ? { residual: residualRef(residual.view, first, batch), residualScale } : {}),
        ...(q ? { lo, hi } : {}),
        ...(q && kept ? { outputScale: scaleAt(q, 0) } : {}),
      };
    },
  };
}

/** The largest |centred code| of a grid. */
export const reachOf = (q: Quant): number => Math.max(zeroPointAt(q, 0) - q.min, q.max - zeroPointAt(q, 0));
