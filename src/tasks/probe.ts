import { PROBE_PRODUCTS, STREAM_BYTES } from '../probe-counts.js';

/** What the core can do at this moment in registers, in 10^9 multiplications per second. */
export interface ProbeSpeed {
  /** Over the whole probe: falls where the core is shared. */
  readonly mean: number;
  /** The best part of it. */
  readonly best: number;
}

/** What the core reaches at best with each kind of instructions: multiplications per nanosecond. */
export interface Peaks {
  /** The probe itself: products of 16-bit numbers without additions. */
  readonly probe: number;
  /** Pairs of i16: `i32x4.dot_i16x8_s` and an addition. */
  readonly pairs: number;
  /** Relaxed dot products of i8, widened and added; 0 where the engine has none. */
  readonly bytes: number;
  /** Products and sums of float32. */
  readonly reals: number;
  /** Bytes per nanosecond, read and written, of a copy beyond the second cache level. */
  readonly stream: number;
}

/** The better of two measurements, each kind for itself. */
export const greatest = (a: Peaks, b: Peaks): Peaks => ({
  probe: Math.max(a.probe, b.probe),
  pairs: Math.max(a.pairs, b.pairs),
  bytes: Math.max(a.bytes, b.bytes),
  reals: Math.max(a.reals, b.reals),
  stream: Math.max(a.stream, b.stream),
});

const TURNS = 20000;
/** Calls until the engine has optimized a function. */
const WARM_CALLS = 200;

type Function = (count: number) => void;

/** Runs the functions of a probe module. */
export class Prober {
  private readonly functions: Readonly<Record<string, Function | undefined>>;
  private warm = false;
  private readonly now: () => number;

  constructor(module: WebAssembly.Module, now: () => number = () => performance.now()) {
    this.functions = new WebAssembly.Instance(module).exports as Record<string, Function>;
    this.now = now;
  }

  /** The speed of the core, from some `calls` of about 0.13 ms each. */
  speed(calls = 150): ProbeSpeed {
    const probe = this.functions.probe as Function;
    if (!this.warm) for (let i = 0; i < WARM_CALLS; i++) probe(TURNS);
    this.warm = true;
    const { best, total } = this.time(() => probe(TURNS), calls);
    const products = TURNS * PROBE_PRODUCTS.probe;
    return { mean: (calls * products) / total / 1e6, best: products / best / 1e6 };
  }

  /** The best of each kind of instructions. */
  peaks(): Peaks {
    const peak = (name: 'pairs' | 'bytes' | 'reals'): number => {
      const f = this.functions[name];
      if (!f) return 0;
      for (let i = 0; i < WARM_CALLS; i++) f(TURNS / 10);
      return (TURNS * PROBE_PRODUCTS[name]) / this.time(() => f(TURNS), 40).best / 1e6;
    };
    const stream = this.functions.stream as Function;
    this.time(() => stream(1), WARM_CALLS);
    return {
      probe: this.speed().best,
      pairs: peak('pairs'),
      bytes: peak('bytes'),
      reals: peak('reals'),
      stream: STREAM_BYTES / this.time(() => stream(1), 60).best / 1e6,
    };
  }

  private time(call: () => void, calls: number): { best: number; total: number } {
    let best = Infinity;
    const start = this.now();
    for (let i = 0, last = start; i < calls; i++) {
      call();
      const time = this.now();
      best = Math.min(best, time - last);
      last = time;
    }
    return { best, total: this.now() - start };
  }
}
