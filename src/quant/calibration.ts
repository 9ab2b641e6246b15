import type { Tensor } from '../ir/tensor.js';
import type { Quant } from '../ir/type.js';

/** Weights and bias that recovery chose for one product; absent parts are made from the model's. */
export interface LearnedProduct {
  /** Codes with their grid. */
  readonly weights?: Tensor;
  /** Real numbers per output channel. */
  readonly bias?: Tensor;
}

/** What turns a float network into an int8 one. */
export interface Calibration {
  /** The grid of every value that is rounded, by its name in the source. */
  readonly values: ReadonlyMap<string, Quant>;
  /** Channels between convolutions are scaled first (passes/equalize-layers.ts); grids are those of the scaled network. */
  readonly equalized: boolean;
  /** Weights with a scale per output channel, else one per tensor. */
  readonly perChannel: boolean;
  /** What recovery chose, by the name of a product's result. */
  readonly products: ReadonlyMap<string, LearnedProduct>;
}

/** Everything that a calibration says, as plain JSON: equal texts give equal modules. */
export const calibrationJson = ({ values, equalized, perChannel, products }: Calibration): object => ({
  values: [...values],
  ...(equalized && { equalized }),
  perChannel,
  products: [...products].map(([name, { weights, bias }]) => ({
    name,
    weights: weights && [weights.type, Array.from(weights.data as Int8Array)],
    bias: bias && Array.from(bias.data as Float32Array),
  })),
});
