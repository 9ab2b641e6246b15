import { f32, type Tensor } from '../../ir/tensor.js';
import { perAxis, type Quant, scaleAt } from '../../ir/type.js';
import type { Calibration, LearnedProduct } from '../../quant/calibration.js';
import { damped, learnFilter, MomentSums, type Moments } from '../../quant/learned-rounding.js';
import { quantizeCode } from '../../quant/rounding.js';
import { quantizeTensor } from '../../quant/tensors.js';
import { weightGrid } from '../../quant/weights.js';
import type { Layer } from './layers.js';
import type { Recovery } from './recoveries.js';

/** Operands of a sum beyond which only means are kept: the covariances would take too long. */
const MOST_OPERANDS = 1200;

/** Learns weights and biases of layers from rows of their operands. */
export class Learner {
  private readonly layers: readonly Layer[];
  private readonly calibration: Calibration;
  /** What the groups of a layer read: over the samples to learn from, and over those set aside. */
  private readonly sums: ReadonlyMap<Layer, { readonly fit: MomentSums[]; readonly held: MomentSums[] }>;
  /** Weights in codes by how they were rounded. */
  private readonly rounded = new Map<string, ReadonlyMap<Layer, Tensor>>();

  constructor(layers: readonly Layer[], calibration: Calibration, ways: readonly Recovery[]) {
    const full = ways.includes('round') || ways.includes('clip');
    const sums = ({ patches: { groups, size } }: Layer): MomentSums[] =>
      Array.from({ length: groups }, () => new MomentSums(size, full && size <= MOST_OPERANDS));
    this.layers = layers;
    this.calibration = calibration;
    this.sums = new Map(layers.map((layer) => [layer, { fit: sums(layer), held: sums(layer) }]));
  }

  add(layer: Layer, row: Float64Array, group: number, held: boolean): void {
    this.sums.get(layer)?.[held ? 'held' : 'fit'][group]?.add(row);
  }

  /** From here on, what was set aside is learned from as well. */
  takeAll(): void {
    for (const { fit, held } of this.sums.values())
      for (const [g, sums] of fit.entries()) sums.merge(held[g] as MomentSums);
    this.rounded.clear();
  }

  /** The calibration with weights and biases as some ways make them. */
  learn(ways: readonly Recovery[]): Calibration {
    if (ways.every((way) => way === 'equalize')) return this.calibration;
    const weights = this.weights(ways.includes('round'), ways.includes('clip') && this.calibration.perChannel);
    const products = this.layers.map((layer): [string, LearnedProduct] => {
      const codes = weights.get(layer) as Tensor;
      const bias = ways.includes('bias') ? correctedBias(layer, codes, this.moments(layer)) : layer.bias;
      return [layer.name, { weights: codes, ...(bias ? { bias } : {}) }];
    });
    return { ...this.calibration, products: new Map(products) };
  }

  private weights(round: boolean, clip: boolean): ReadonlyMap<Layer, Tensor> {
    const key = `${round} ${clip}`;
    const known = this.rounded.get(key);
    if (known) return known;
    const { perChannel } = this.calibration;
    const made = new Map(
      this.layers.map((layer) => [layer, codesOf(layer, this.moments(layer), perChannel, { round, clip })]),
    );
    this.rounded.set(key, made);
    return made;
  }

  private moments = (layer: Layer): Moments[] => (this.sums.get(layer)?.fit ?? []).map((s) => s.finish());
}

/** The weights of a layer in codes: the nearest, or rounded and clipped by least squares. */
function codesOf(
  { weights, patches }: Layer,
  moments: readonly Moments[],
  perChannel: boolean,
  { round, clip }: { readonly round: boolean; readonly clip: boolean },
): Tensor {
  const grid = weightGrid(weights, patches.axis, perChannel);
  if (!round && !clip) return quantizeTensor(weights, grid);
  const matrices = moments.map(damped);
  const codes = new Int8Array(weights.data.length);
  const scales = new Array<number>(patches.channels);
  const w = new Float64Array(patches.size);
  for (let c = 0; c < patches.channels; c++) {
    patches.readFilter(weights.data as Float32Array, c, w);
    const scale = scaleAt(grid, c);
    const a = matrices[patches.groupOf(c)];
    const nearest = { codes: Int8Array.from(w, (v) => quantizeCode(v, grid, c)), scale };
    const found = a ? learnFilter(w, a, scale, { clip, round }) : nearest;
    patches.writeFilter(codes, c, found.codes);
    scales[c] = found.scale;
  }
  const quant = perChannel ? perAxis('i8', patches.axis, scales) : grid;
  return { type: { dtype: 'i8', shape: weights.type.shape, quant }, data: codes };
}

/** b[c] + sum over i of (w[c, i] - codes[c, i] * s[c]) * mean[i]. */
function correctedBias({ weights, bias, patches }: Layer, codes: Tensor, moments: readonly Moments[]): Tensor {
  const [w, q] = [new Float64Array(patches.size), new Float64Array(patches.size)];
  const corrected = new Float32Array(patches.channels);
  for (let c = 0; c < patches.channels; c++) {
    patches.readFilter(weights.data as Float32Array, c, w);
    patches.readFilter(codes.data as Int8Array, c, q);
    const scale = scaleAt(codes.type.quant as Quant, c);
    const { mean } = moments[patches.groupOf(c)] as Moments;
    let shift = 0;
    for (let i = 0; i < w.length; i++) shift += ((w[i] as number) - (q[i] as number) * scale) * (mean[i] as number);
    corrected[c] = Number(bias?.data[c] ?? 0) + shift;
  }
  return f32([patches.channels], corrected);
}
