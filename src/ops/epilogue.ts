import { allocate, type Tensor } from '../ir/tensor.js';
import { isCodes, type Quant, realType, scaleAt, type TensorType, zeroPointAt } from '../ir/type.js';
import { type Activation, applyActivation, clampBounds } from '../quant/activation.js';
import { biasAddsToSums } from '../quant/bias.js';
import { codeBounds } from '../quant/bounds.js';
import { roundToCode, scaledSum } from '../quant/requantize.js';
import { sumScaling } from '../quant/requantize-scale.js';
import { quantizeCode } from '../quant/rounding.js';
import { toReal } from '../quant/tensors.js';
import { operand, operandScale } from './codes.js';

const f32 = Math.fround;

/** What follows the sums of a convolution or matrix product. The element i has channel floor(i / inner) % channels. */
export interface Epilogue {
  readonly channels: number;
  readonly inner: number;
  readonly bias: Tensor | null;
  readonly residual: Tensor | null;
  readonly activation: Activation | null;
}

/** A bias [channels] split into what is added to int32 sums and what is added in float. */
function splitBias(e: Epilogue, x: Quant, w: Quant): { codes: Int32Array | null; reals: Float32Array | null } {
  if (!e.bias) return { codes: null, reals: null };
  if (biasAddsToSums(e.bias.type.quant, x, w, e.channels)) return { codes: e.bias.data as Int32Array, reals: null };
  return { codes: null, reals: Float32Array.from(toReal(e.bias).data as Float32Array) };
}

/** The code and stored scale of a bias that is added to the sums. */
const storedBias = (e: Epilogue, codes: Int32Array | null, c: number) =>
  codes ? { code: codes[c] as number, scale: scaleAt(e.bias?.type.quant as Quant, c) } : undefined;

/**
 * Int32 sums (exact in float64) to the output type, by the numeric contract:
 * t = f32(f32(acc) * m[c]) + b'[c] + residual / s_y, m[c] and b'[c] from `sumScaling`, then one rounding; or the same in
 * real units (s_y = 1) where the output is f32 or the activation is not a clamp.
 */
export function finishSums(acc: Float64Array, e: Epilogue, x: Quant, w: Quant, output: TensorType): Tensor {
  const { codes, reals } = splitBias(e, x, w);
  const direct = isCodes(output) && (e.activation === null || clampBounds(e.activation) !== null);
  const unit = direct ? scaleAt(output.quant as Quant, 0) : 1;
  const target = { output: direct ? (output.quant as Quant) : null, residual: e.residual !== null };
  const finish = finisher(e.activation, output);
  const data = allocate(isCodes(output) ? output.dtype : 'f32', acc.length);
  const residual = e.residual && operand(e.residual);
  const part = { value: 0, scale: e.residual ? f32(operandScale(e.residual.type) / unit) : 0 };
  for (let start = 0; start < acc.length; start += e.inner) {
    const c = (start / e.inner) % e.channels;
    const bias = reals ? (reals[c] as number) : storedBias(e, codes, c);
    const m = sumScaling(scaleAt(x, 0), scaleAt(w, c), { ...target, bias });
    const extra = codes ? (codes[c] as number) : 0;
    const addends = {
      ...(reals ? { bias: m.bias } : {}),
      ...(residual ? { residual: part } : {}),
    };
    for (let i = start; i < start + e.inner; i++) {
      if (residual) part.value = residual[i] as number;
      data[i] = finish(scaledSum((acc[i] as number) + extra, m.scale, addends));
    }
  }
  return { type: isCodes(output) ? output : realType(output), data };
}

/** From a scaled sum (in output quanta for clamps on codes, else real) to the stored element. */
export function finisher(activation: Activation | null, output: TensorType): (t: number) => number {
  const q = output.quant;
  if (!isCodes(output) || q === undefined) return (t) => (activation ? applyActivation(activation, t) : t);
  if (activation && !clampBounds(activation)) return (t) => quantizeCode(applyActivation(activation, t), q);
  const [lo, hi] = codeBounds(q, activation);
  const zero = zeroPointAt(q, 0);
  return (t) => roundToCode(t, q.rounding, lo, hi) + zero;
}

/** Float64 sums to float32 reals: bias and residual added in float64, rounded once, then the activation. */
export function finishReals(acc: Float64Array, e: Epilogue, shape: readonly number[]): Tensor {
  const data = new Float32Array(acc.length);
  const { bias, residual, activation } = e;
  for (let start = 0; start < acc.length; start += e.inner) {
    const b = bias ? Number(bias.data[(start / e.inner) % e.channels]) : 0;
    for (let i = start; i < start + e.inner; i++) {
      const y = f32((acc[i] as number) + b + (residual ? Number(residual.data[i]) : 0));
      data[i] = activation ? applyActivation(activation, y) : y;
    }
  }
  return { type: { dtype: 'f32', shape }, data };
}
