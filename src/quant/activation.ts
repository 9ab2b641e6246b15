import { unreachable } from '../support/errors.js';
import { type Arithmetic, erfOf, expOf, SCALAR, sigmoidOf, softplusOf, tanhOf } from './math.js';

/**
 * Activations that convolutions, fully connected and elementwise ops carry in their epilogue, as attributes.
 * The clamping ones become bounds of the output codes; the others are computed on the real value before rounding.
 */
export type Activation =
  | { readonly kind: 'relu' }
  | { readonly kind: 'relu6' }
  | { readonly kind: 'clip'; readonly min: number; readonly max: number }
  | { readonly kind: 'hard_swish'; readonly threshold: number; readonly scale: number; readonly offset: number }
  | { readonly kind: 'hard_sigmoid'; readonly slope: number; readonly offset: number }
  | { readonly kind: 'leaky_relu'; readonly alpha: number }
  | { readonly kind: 'sigmoid' }
  | { readonly kind: 'swish' }
  | { readonly kind: 'tanh' }
  | { readonly kind: 'gelu' }
  | { readonly kind: 'gelu_tanh' }
  | { readonly kind: 'softplus' }
  | { readonly kind: 'softsign' }
  | { readonly kind: 'mish' }
  | { readonly kind: 'elu'; readonly alpha: number }
  | { readonly kind: 'celu'; readonly alpha: number }
  | { readonly kind: 'selu'; readonly alpha: number; readonly scale: number }
  | { readonly kind: 'thresholded_relu'; readonly threshold: number }
  | { readonly kind: 'shrink'; readonly lambd: number; readonly bias: number };

/** The kinds of activation, which are ops of their own too. */
export const ACTIVATION_OPS: readonly Activation['kind'][] = [
  'relu',
  'relu6',
  'clip',
  'hard_swish',
  'hard_sigmoid',
  'leaky_relu',
  'sigmoid',
  'swish',
  'tanh',
  'gelu',
  'gelu_tanh',
  'softplus',
  'softsign',
  'mish',
  'elu',
  'celu',
  'selu',
  'thresholded_relu',
  'shrink',
];

/** The interval a clamping activation limits its input to, or null for the others. Bounds may be infinite. */
export function clampBounds(a: Activation): readonly [number, number] | null {
  if (a.kind === 'relu') return [0, Number.POSITIVE_INFINITY];
  if (a.kind === 'relu6') return [0, 6];
  if (a.kind === 'clip') return [a.min, a.max];
  return null;
}

/** What activations need besides the basic operations. */
export interface ActivationArithmetic<T> extends Arithmetic<T> {
  /** x < lo ? lo : x, then the same with `hi`: NaN stays, bounds may be infinite. */
  limit(x: T, lo: number, hi: number): T;
}

/** An activation as a formula of float32 steps, on numbers or on vectors (`emitActivation`). */
export function activationOf<T>(a: ActivationArithmetic<T>, activation: Activation, input: T): T {
  const x = a.keep(input);
  const c = a.constant;
  switch (activation.kind) {
    case 'relu':
      return a.limit(x, 0, Number.POSITIVE_INFINITY);
    case 'relu6':
      return a.limit(x, 0, 6);
    case 'clip':
      return a.limit(x, activation.min, activation.max);
    case 'hard_swish': {
      const gate = a.limit(a.add(x, c(activation.offset)), 0, activation.threshold);
      return a.div(a.mul(x, gate), c(activation.scale));
    }
    case 'hard_sigmoid':
      return a.limit(a.mulAdd(x, activation.slope, activation.offset), 0, 1);
    case 'leaky_relu':
      return a.whenLess(x, c(0), a.mul(x, c(activation.alpha)), x);
    case 'sigmoid':
      return sigmoidOf(a, x);
    case 'swish':
      return a.mul(x, sigmoidOf(a, x));
    case 'tanh':
      return tanhOf(a, x);
    case 'gelu':
      return a.mul(a.mul(x, c(0.5)), a.add(erfOf(a, a.mul(x, c(Math.SQRT1_2))), c(1)));
    case 'gelu_tanh': {
      const cubic = a.add(x, a.mul(a.mul(a.mul(x, x), x), c(0.044715)));
      const inner = a.keep(a.mul(cubic, c(Math.sqrt(2 / Math.PI))));
      return a.mul(a.mul(x, c(0.5)), a.add(tanhOf(a, inner), c(1)));
    }
    case 'softplus':
      return softplusOf(a, x);
    case 'softsign':
      return a.div(x, a.add(a.abs(x), c(1)));
    case 'mish':
      return a.mul(x, tanhOf(a, softplusOf(a, x)));
    default:
      return piecewiseOf(a, activation, x);
  }
}

type Piecewise = Extract<Activation, { kind: 'elu' | 'celu' | 'selu' | 'thresholded_relu' | 'shrink' }>;

/** Activations that are one formula below a bound and another above it. */
function piecewiseOf<T>(a: ActivationArithmetic<T>, activation: Piecewise, x: T): T {
  const c = a.constant;
  switch (activation.kind) {
    case 'elu':
      return a.whenLess(x, c(0), a.mul(a.sub(expOf(a, x), c(1)), c(activation.alpha)), x);
    case 'celu': {
      const { alpha } = activation;
      const below = a.mul(a.sub(expOf(a, a.keep(a.div(x, c(alpha)))), c(1)), c(alpha));
      return a.whenLess(x, c(0), below, x);
    }
    case 'selu': {
      const below = a.mul(a.sub(expOf(a, x), c(1)), c(activation.alpha));
      return a.mul(a.whenLess(x, c(0), below, x), c(activation.scale));
    }
    case 'thresholded_relu':
      return a.whenLess(c(activation.threshold), x, x, c(0));
    case 'shrink': {
      const { lambd, bias } = activation;
      const above = a.whenLess(c(lambd), x, a.sub(x, c(bias)), c(0));
      return a.whenLess(x, c(-lambd), a.add(x, c(bias)), above);
    }
    default:
      return unreachable(activation);
  }
}

const SCALAR_ACTIVATION: ActivationArithmetic<number> = {
  ...SCALAR,
  limit: (x, lo, hi) => {
    const raised = x < Math.fround(lo) ? Math.fround(lo) : x;
    return Math.fround(hi) < raised ? Math.fround(hi) : raised;
  },
};

/** An activation of one real number, in float32. */
export const applyActivation = (activation: Activation, x: number): number =>
  activationOf(SCALAR_ACTIVATION, activation, Math.fround(x));
