/** Seeded weights for a network: He-normal, scaled so that activations keep their size through any depth. */
import { activated, added, type Moments } from './moments.js';
import type { ConvLayer, FullyConnectedLayer, Layer, Network } from './network.js';
import { Random, seedOf } from './random.js';

/** Batch normalization in front of which stand the raw weights. */
export interface BatchNorm {
  readonly gamma: Float32Array;
  readonly beta: Float32Array;
  readonly mean: Float32Array;
  readonly variance: Float32Array;
}

/** Weights of one layer, per output channel one after another. */
export interface Parameters {
  readonly channels: number;
  /** With the batch normalization folded in, and the bias that goes with them. */
  readonly weights: Float32Array;
  readonly bias: Float32Array;
  /** The batch normalization, for `unfolded`. */
  readonly norm: BatchNorm | null;
}

/** The parameters of all layers that have some, by the layer's name. */
export type NetworkParameters = ReadonlyMap<string, Parameters>;

export const EPSILON = 1e-5;

/**
 * Share of a filter's mean that is taken away where inputs are rectified (all positive): with none, the common mode of
 * all channels drowns the signal after some layers; with all of it, random networks amplify every disturbance.
 */
const CENTRING = 0.8;

const BIAS_DEVIATION = 0.2;
/** Rectified layers get a positive bias, as trained ones have, so that fewer than half of the codes are zero. */
const RECTIFIED_BIAS = 0.3;

interface Draw {
  readonly filters: number;
  readonly perFilter: number;
  readonly input: Moments;
  readonly variance: number;
  readonly centred: boolean;
  readonly biasMean: number;
}

/** Weights and bias whose results have the wanted variance, the filters of different size as trained ones are. */
function draw(random: Random, d: Draw): { weights: Float32Array; bias: Float32Array } {
  const { mean, variance } = d.input;
  const share = d.centred ? (1 - CENTRING) ** 2 : 1;
  const deviation = Math.sqrt(d.variance / (d.perFilter * (variance + share * mean * mean)));
  const weights = new Float32Array(d.filters * d.perFilter);
  for (let f = 0; f < d.filters; f++) {
    const values = random.normals(d.perFilter);
    const shift = d.centred ? (CENTRING * values.reduce((a, b) => a + b, 0)) / d.perFilter : 0;
    const size = deviation * random.uniform(0.6, 1.4);
    values.forEach((v, i) => {
      weights[f * d.perFilter + i] = size * (v - shift);
    });
  }
  const bias = Float32Array.from({ length: d.filters }, () => d.biasMean + BIAS_DEVIATION * random.normal());
  return { weights, bias };
}

/** A batch normalization with seeded statistics, whose folding gives weights with this bias. */
function drawNorm(random: Random, bias: Float32Array): BatchNorm {
  const list = (make: (i: number) => number): Float32Array => Float32Array.from(bias, (_, i) => make(i));
  const gamma = list(() => random.uniform(0.5, 1.5));
  const mean = list(() => random.normal());
  const variance = list(() => random.uniform(0.5, 2));
  const slope = (i: number): number => (gamma[i] as number) / Math.sqrt((variance[i] as number) + EPSILON);
  return { gamma, mean, variance, beta: list((i) => (bias[i] as number) + (mean[i] as number) * slope(i)) };
}

/** The weights as they stand in front of their batch normalization. */
export function unfolded({ weights, channels, norm }: Parameters): Float32Array {
  if (!norm) return weights;
  const size = weights.length / channels;
  const factor = norm.gamma.map((g, i) => Math.sqrt((norm.variance[i] as number) + EPSILON) / g);
  return weights.map((w, i) => w * (factor[Math.floor(i / size)] as number));
}

function convolution(random: Random, layer: ConvLayer, input: Moments): [Parameters, Moments] {
  const [filters, ...rest] = layer.weights;
  const biasMean = layer.activation ? RECTIFIED_BIAS : 0;
  const { variance } = layer;
  const perFilter = rest.reduce((a, b) => a * b, 1);
  const centred = layer.groups === 1 && input.mean > 0; // a centred depthwise filter would only see edges
  const folded = draw(random, { filters, perFilter, input, variance, centred, biasMean });
  const norm = layer.batchNorm ? drawNorm(random, folded.bias) : null;
  const result = { mean: biasMean, variance: variance + BIAS_DEVIATION ** 2 };
  return [{ ...folded, channels: filters, norm }, activated(result, layer.activation)];
}

function fullyConnected(random: Random, layer: FullyConnectedLayer, input: Moments): Parameters {
  const [filters, perFilter] = layer.weights;
  return {
    ...draw(random, { filters, perFilter, input, variance: 4, centred: true, biasMean: 0 }),
    channels: filters,
    norm: null,
  };
}

/** What a layer without weights makes of its inputs. */
function passed(layer: Layer, inputs: readonly Moments[]): Moments {
  const [first, second] = inputs as [Moments, Moments];
  if (layer.kind === 'add') return activated(added(first, second), layer.activation);
  // A mean over an image keeps the differences between channels, which are a fraction of the variance.
  if (layer.kind === 'avgpool') return { mean: first.mean, variance: 0.2 * first.variance };
  return first;
}

/** Draws the parameters of all layers; equal names and seeds give equal numbers. */
export function seededParameters(net: Network, seed = 1): NetworkParameters {
  const random = new Random(seedOf(seed, net.name));
  const moments = new Map<string, Moments>([['input', { mean: 0, variance: 1 }]]);
  const parameters = new Map<string, Parameters>();
  for (const layer of net.layers) {
    const inputs = layer.inputs.map((name) => moments.get(name) as Moments);
    const [first] = inputs as [Moments];
    if (layer.kind === 'conv') {
      const [drawn, result] = convolution(random, layer, first);
      parameters.set(layer.name, drawn);
      moments.set(layer.name, result);
    } else if (layer.kind === 'fc') parameters.set(layer.name, fullyConnected(random, layer, first));
    else moments.set(layer.name, passed(layer, inputs));
  }
  return parameters;
}
