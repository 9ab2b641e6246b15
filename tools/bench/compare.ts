/** How close an output is to a reference. */
export interface Agreement {
  readonly identical: boolean;
  /** Share of equal elements. */
  readonly equal: number;
  /** Greatest difference by the greatest magnitude of the reference. */
  readonly relativeError: number;
  /** Signal to noise in dB; infinite where all elements are equal. */
  readonly signalToNoise: number;
}

/** Compares an output with a reference of equal length. */
export function compare(actual: Float32Array, expected: Float32Array): Agreement {
  if (actual.length !== expected.length) throw new Error(`${actual.length} outputs instead of ${expected.length}`);
  let [equal, error, most, noise, signal] = [0, 0, 0, 0, 0];
  for (let i = 0; i < expected.length; i++) {
    const [a, e] = [actual[i] as number, expected[i] as number];
    const difference = Number.isNaN(a) ? Infinity : Math.abs(a - e);
    if (difference === 0) equal++;
    error = Math.max(error, difference);
    most = Math.max(most, Math.abs(e));
    noise += difference * difference;
    signal += e * e;
  }
  return {
    identical: equal === expected.length,
    equal: equal / expected.length,
    relativeError: error / (most || 1),
    signalToNoise: 10 * Math.log10(signal / noise),
  };
}
