/** Codes of weights and biases. */

/** int8 is symmetric in -127..127, uint8 has a zero point. */
export interface WeightStyle {
  readonly dtype: 'i8' | 'u8';
  /** A scale per output channel, or one for all. */
  readonly perChannel: boolean;
}

export interface QuantizedWeights {
  readonly codes: Int8Array | Uint8Array;
  /** As many as there are grids. */
  readonly scales: Float32Array;
  readonly zeroPoints: Int8Array | Uint8Array;
}

/** Least and greatest value, and 0. */
function extent(values: Float32Array): [number, number] {
  let [low, high] = [0, 0];
  for (const v of values) {
    if (v < low) low = v;
    if (v > high) high = v;
  }
  return [low, high];
}

/** Quantizes weights that lie output channel by output channel. */
export function quantizeWeights(weights: Float32Array, channels: number, style: WeightStyle): QuantizedWeights {
  const groups = style.perChannel ? channels : 1;
  const size = weights.length / groups;
  const List = style.dtype === 'i8' ? Int8Array : Uint8Array;
  const [codes, zeroPoints] = [new List(weights.length), new List(groups)];
  const scales = new Float32Array(groups);
  const [least, most] = style.dtype === 'i8' ? [-127, 127] : [0, 255];
  for (let g = 0; g < groups; g++) {
    const [low, high] = extent(weights.subarray(g * size, (g + 1) * size));
    const step = style.dtype === 'i8' ? Math.max(-low, high) / 127 : (high - low) / 255;
    const scale = Math.fround(Math.max(step, 1e-8));
    const zeroPoint = style.dtype === 'i8' ? 0 : Math.round(-low / scale);
    scales[g] = scale;
    zeroPoints[g] = zeroPoint;
    for (let i = g * size; i < (g + 1) * size; i++)
      codes[i] = Math.min(most, Math.max(least, Math.round((weights[i] as number) / scale) + zeroPoint));
  }
  return { codes, scales, zeroPoints };
}

/** Quantizes a bias to the scale of the sums: a scale per channel, or one for all. */
export const quantizeBias = (bias: Float32Array, scales: Float32Array): Int32Array =>
  Int32Array.from(bias, (b, c) => Math.round(b / (scales[scales.length === 1 ? 0 : c] as number)));
