import { lower } from '../../compile.js';
import type { SampleSource } from '../../data/sample.js';
import type { Graph } from '../../ir/graph.js';
import { type CompileOptions, resolveOptions } from '../../options.js';
import type { Calibration } from '../../quant/calibration.js';
import type { Model } from './calibrate.js';
import { feed } from './observe.js';
import { type OpenNet, openNet } from './open-net.js';

/** One in so many samples is set aside to judge by, where there are as many as that twice. */
const EVERY = 4;

/** Whether a sample is set aside: nothing may be learned from it. */
export const isHeld = (index: number, samples: number): boolean => samples >= 2 * EVERY && index % EVERY === EVERY - 1;

/** The numbers of the samples that are set aside. */
export const heldSamples = (samples: number): number[] =>
  Array.from({ length: samples }, (_, i) => i).filter((i) => isHeld(i, samples));

/** Ops whose results hardly differ while the class is clear: what they read is judged in their place. */
const SATURATES: ReadonlySet<string> = new Set(['softmax', 'sigmoid']);

/** The names of the values by which a network is judged: its real outputs, or what a softmax or sigmoid in front reads. */
export function judgedNames(graph: Graph): string[] {
  const producers = graph.producers();
  return graph.outputs.flatMap(({ value, name }) => {
    if (graph.value(value).type.dtype !== 'f32') return [];
    const maker = producers.get(value);
    if (!maker || !SATURATES.has(maker.op)) return [name];
    const read = graph.input(maker, 0);
    return [producers.has(read.id) ? read.name : name];
  });
}

/**
 * How near int8 networks come to the float network over the samples that are set aside: signal to error over all judged
 * values in dB, one per calibration.
 */
export async function judge(
  model: Model,
  calibrations: readonly Calibration[],
  source: SampleSource,
  options: { readonly float: CompileOptions; readonly int8: CompileOptions },
): Promise<number[]> {
  const names = judgedNames(lower(model, resolveOptions(options.float), 'fused').graph);
  const reference = await openNet(model, { ...options.float, precision: 'fp32', taps: names });
  const nets: OpenNet[] = [];
  for (const calibration of calibrations)
    nets.push(await openNet(model, { ...options.int8, calibration, taps: names }));
  let signal = 0;
  const noise = nets.map(() => 0);
  for (const index of heldSamples(source.length))
    for await (const sample of source.samples(index, index + 1)) {
      for (const { net } of [reference, ...nets]) {
        feed(net, sample);
        net.runInPlace();
      }
      for (const name of names) {
        const wanted = reference.reals(name);
        signal += wanted.reduce((sum, v) => sum + v * v, 0);
        nets.forEach((net, i) => {
          noise[i] = (noise[i] as number) + squaredDistance(net.reals(name), wanted);
        });
      }
    }
  return noise.map((n) => 10 * Math.log10(signal / n));
}

function squaredDistance(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += ((a[i] as number) - (b[i] as number)) ** 2;
  return sum;
}
