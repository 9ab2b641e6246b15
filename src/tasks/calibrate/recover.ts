import type { SampleSource } from '../../data/sample.js';
import type { Calibration } from '../../quant/calibration.js';
import { type CalibrateOptions, floatOptions, inputsOf, int8Options, type Model } from './calibrate.js';
import { heldSamples, isHeld, judge } from './judge.js';
import { type Layer, layersOf, visitLayers } from './layers.js';
import { Learner } from './learner.js';
import { openNet } from './open-net.js';
import type { Recovery } from './recoveries.js';

/** Ways of recovery and how near the outputs come to float with them, in dB, over the samples set aside. */
export interface Judged {
  readonly ways: readonly Recovery[];
  readonly sqnr: number;
}

/** What recovery did. */
export interface Recovered {
  readonly calibration: Calibration;
  /** The ways that were kept. */
  readonly ways: readonly Recovery[];
  /** What was tried, the kept one first; empty where there were too few samples to set some aside. */
  readonly judged: readonly Judged[];
  /** Samples set aside. */
  readonly held: number;
}

/**
 * Chooses weights and biases of every product anew, layer by layer, from what its operands are over the samples, which
 * are read in their order:
 *
 * - `round`: each weight goes up or down as the least square error of the layer's sums wants it;
 * - `clip`: filters may take a smaller scale, which clips their outliers, where that error is less;
 * - `bias`: what rounding moves the mean of a sum by is taken back in the bias. Source: Nagel et al., "Data-free
 *   quantization through weight equalization and bias correction", 2019, with means of the calibration data.
 *
 * One sample in four is set aside at first: what was learned from the others has to bring the outputs nearer to float on
 * these, by 1 dB for `bias`; else `bias`, or all ways, are left out. What is kept is learned once more from all samples.
 */
export async function recover(
  model: Model,
  calibration: Calibration,
  source: SampleSource,
  ways: readonly Recovery[],
  options: CalibrateOptions = {},
): Promise<Recovered> {
  const layers = layersOf(model, calibration, options);
  const learner = new Learner(layers, calibration, ways);
  await lookAt(model, layers, source, learner, options);
  const held = heldSamples(source.length).length;
  const judged = held === 0 ? [] : await tryAll(model, learner, source, ways, options);
  const kept = judged[0]?.ways ?? ways;
  learner.takeAll();
  return { calibration: learner.learn(kept), ways: kept, judged, held };
}

async function lookAt(
  model: Model,
  layers: readonly Layer[],
  source: SampleSource,
  learner: Learner,
  options: CalibrateOptions,
): Promise<void> {
  const inputs = new Set(inputsOf(model, options).map((i) => i.name));
  const taps = [...new Set(layers.map((l) => l.input))].filter((name) => !inputs.has(name));
  const { net } = await openNet(model, { ...floatOptions(options), precision: 'fp32', taps });
  const see = (layer: Layer, row: Float64Array, group: number, sample: number): void =>
    learner.add(layer, row, group, isHeld(sample, source.length));
  await visitLayers(net, layers, source, see, options.onSample);
}

/** What is asked, the same without what takes means from the samples, and nothing; equalization is in the network already. */
function attempts(ways: readonly Recovery[]): (readonly Recovery[])[] {
  const lists = [ways, ways.filter((way) => way !== 'bias'), ways.filter((way) => way === 'equalize')];
  return lists.filter((list, i) => lists.findIndex((l) => l.join() === list.join()) === i);
}

/** Learns in the ways that could be kept and judges them: the best comes first. */
async function tryAll(
  model: Model,
  learner: Learner,
  source: SampleSource,
  ways: readonly Recovery[],
  options: CalibrateOptions,
): Promise<Judged[]> {
  const tried = attempts(ways);
  const calibrations = tried.map((list) => learner.learn(list));
  const sqnr = await judge(model, calibrations, source, { float: floatOptions(options), int8: int8Options(options) });
  return tried.map((list, i) => ({ ways: list, sqnr: sqnr[i] as number })).sort((a, b) => merit(b) - merit(a));
}

/** By how many dB corrected biases have to be better: less may be chance, where few samples are set aside. */
const MARGIN = 1;

const merit = ({ ways, sqnr }: Judged): number => sqnr - (ways.includes('bias') ? MARGIN : 0);
