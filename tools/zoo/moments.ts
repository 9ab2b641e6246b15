/**
 * Mean and variance of activations, followed through a network on paper, so that seeded weights can be scaled without
 * running anything: He's rule where the input is rectified, the matching factor where it is a sum, linear or clipped.
 */
import type { Activation } from './network.js';

export interface Moments {
  readonly mean: number;
  readonly variance: number;
}

const STEPS = 400;
const REACH = 6;

/** What an activation makes of a normal distribution (sums over a grid of 6 standard deviations). */
export function activated({ mean, variance }: Moments, activation: Activation): Moments {
  if (activation === null) return { mean, variance };
  const top = activation === 'relu6' ? 6 : Infinity;
  let [weight, first, second] = [0, 0, 0];
  for (let i = 0; i <= STEPS; i++) {
    const z = ((2 * i) / STEPS - 1) * REACH;
    const density = Math.exp((-z * z) / 2);
    const value = Math.min(top, Math.max(0, mean + z * Math.sqrt(variance)));
    weight += density;
    first += density * value;
    second += density * value * value;
  }
  const newMean = first / weight;
  return { mean: newMean, variance: second / weight - newMean * newMean };
}

/** The sum of two independent values. */
export const added = (a: Moments, b: Moments): Moments => ({
  mean: a.mean + b.mean,
  variance: a.variance + b.variance,
});
