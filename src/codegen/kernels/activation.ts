import { type Activation, type ActivationArithmetic, activationOf } from '../../quant/activation.js';
import type { V128 } from '../builder/expr.js';
import type { FunctionBuilder } from '../builder/function.js';
import { type Computed, VectorArithmetic } from './math.js';

/** Vector arithmetic with the clamp of activations in one instruction per finite bound. */
class VectorActivation extends VectorArithmetic implements ActivationArithmetic<V128> {
  private readonly builder: FunctionBuilder;

  constructor(f: FunctionBuilder) {
    super(f);
    this.builder = f;
  }

  // pmax(a, b) is a < b ? b : a, and pmin(a, b) is b < a ? b : a
  limit(x: V128, lo: number, hi: number): V128 {
    const raised = lo === Number.NEGATIVE_INFINITY ? x : this.builder.op('f32x4', 'pmax', x, this.constant(lo));
    return hi === Number.POSITIVE_INFINITY ? raised : this.builder.op('f32x4', 'pmin', raised, this.constant(hi));
  }
}

/**
 * An activation of four floats: the bits of `applyActivation`. `x` may be any expression and is computed once;
 * `setup` runs first, then `value` may be used.
 */
export function emitActivation(f: FunctionBuilder, activation: Activation, x: V128): Computed {
  const a = new VectorActivation(f);
  const value = activationOf(a, activation, x);
  return { setup: a.setup, value };
}
