import type { SampleSource } from '../../data/sample.js';
import type { CompileOptions } from '../../options.js';
import type { Calibration } from '../../quant/calibration.js';
import type { Model } from './calibrate.js';
import { openNet, outputsOf } from './open-net.js';

/** One in so many samples is set aside to judge by, where there are as many as that twice. */
const EVERY = 4;

/** Whether a sample is set aside: nothing may be learned from it. */
export const isHeld = (index: number, samples: number): boolean => samples >= 2 * EVERY && index % EVERY === EVERY - 1;

/** The numbers of the samples that are set aside. */
export const heldSamples = (samples: number): number[] =>
  Array.from({ length: samples }, (_, i) => i).filter((i) => isHeld(i, samples));

/**
 * How near the outputs of int8 networks come to those of the float network over the samples that are set aside: signal to
 * error over all real outputs in dB, one per calibration.
 */
export async function judge(
  model: Model,
  calibrations: readonly Calibration[],
  source: SampleSource,
  options: { readonly float: CompileOptions; readonly int8: CompileOptions },
): Promise<number[]> {
  const reference = await openNet(model, { ...options.float, precision: 'fp32' });
  const nets = [];
  for (const calibration of calibrations) nets.push(await openNet(model, { ...options.int8, calibration }));
  let signal = 0;
  const noise = nets.map(() => 0);
  for (const index of heldSamples(source.length))
    for await (const sample of source.samples(index, index + 1)) {
      const wanted = outputsOf(reference, sample);
      for (const output of wanted) signal += output.reduce((sum, v) => sum + v * v, 0);
      nets.forEach((net, i) => {
        outputsOf(net, sample).forEach((output, at) => {
          noise[i] = (noise[i] as number) + squaredDistance(output, wanted[at] as Float32Array);
        });
      });
    }
  return noise.map((n) => 10 * Math.log10(signal / n));
}

function squaredDistance(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += ((a[i] as number) - (b[i] as number)) ** 2;
  return sum;
}
