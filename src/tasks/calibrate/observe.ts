import type { Sample } from '../../data/sample.js';
import type { ScaleTarget } from '../../passes/scale-targets.js';
import { Histogram } from '../../quant/histogram.js';
import type { Range } from '../../quant/thresholds.js';
import type { Net, TypedArray } from '../../runtime/net.js';
import { fnv1a } from '../../runtime/self-test.js';
import { modelError } from '../../support/errors.js';
import type { Observed } from './statistics.js';

/** How much of a moving average a new batch is not. Source: Krishnamoorthi, 2018, and Paddle's moving_average_abs_max. */
const MOMENTUM = 0.9;

/** Fills the inputs of a float network with a sample; a network of a fixed batch gets it in every place. */
export function feed(net: Net, sample: Sample): string {
  const parts: string[] = [];
  net.inputs.forEach((input, at) => {
    const unnamed = sample.tensors.filter((t) => t.name === null);
    const given = sample.tensors.find((t) => t.name === input.name) ?? unnamed[at];
    if (!given) throw modelError(`has no data for input "${input.name}"`, { file: sample.name });
    const { type, data } = given.tensor;
    const target = net.input(input.name) as Uint8Array;
    const repeats = target.length / data.length;
    if (type.dtype !== input.dtype || !Number.isInteger(repeats))
      throw modelError(
        `holds ${type.dtype} [${type.shape.join(', ')}], but input "${input.name}" takes ${input.dtype} [${input.shape.join(', ')}]`,
        { file: sample.name, remedy: 'Preprocess the samples to the shape of the input.' },
      );
    for (let i = 0; i < repeats; i++) target.set(data as Uint8Array, i * data.length);
    parts.push(fnv1a(new Uint8Array(data.buffer, data.byteOffset, data.byteLength)));
  });
  return parts.join(' ');
}

/** A value is NaN or infinite; calibration says which was the first. */
export class NotFinite extends Error {
  readonly target: ScaleTarget;

  constructor(target: ScaleTarget) {
    super(`the values of "${target.source}" are not finite`);
    this.target = target;
  }
}

/** Watches the values that get scales while a float network runs over samples. */
export class Observer {
  private readonly net: Net;
  private readonly targets: readonly ScaleTarget[];
  private readonly histograms: ReadonlyMap<string, Histogram>;
  private readonly averages = new Map<string, Range>();
  /** The range of the batch so far, per value; null where no average is asked for. */
  private readonly batch: Map<string, Range> | null;
  private readonly batchSize: number;
  readonly seen = new Set<string>();
  samples = 0;

  /** `net` has the sources of the targets among its outputs or inputs. */
  constructor(net: Net, targets: readonly ScaleTarget[], options: { batchSize: number; averages: boolean }) {
    this.net = net;
    this.targets = targets.filter((t, i) => targets.findIndex((u) => u.source === t.source) === i);
    this.histograms = new Map(this.targets.map((t) => [t.source, new Histogram()]));
    this.batch = options.averages ? new Map() : null;
    this.batchSize = options.batchSize;
  }

  /** Runs the network on a sample. Throws NotFinite where a value is not finite. */
  add(sample: Sample): void {
    this.seen.add(feed(this.net, sample));
    // a run may overwrite the inputs
    for (const target of this.targets) if (target.node === null) this.look(target, this.net.input(target.source));
    this.net.runInPlace();
    for (const target of this.targets) if (target.node !== null) this.look(target, this.net.output(target.source));
    this.samples++;
    if (this.batch && this.samples % this.batchSize === 0) this.endBatch();
  }

  private look(target: ScaleTarget, values: TypedArray): void {
    const data = values as Float32Array;
    const histogram = this.histograms.get(target.source) as Histogram;
    histogram.add(data);
    if (histogram.notFinite > 0) throw new NotFinite(target);
    if (!this.batch) return;
    let { lo, hi } = this.batch.get(target.source) ?? { lo: 0, hi: 0 };
    for (const v of data) {
      lo = v < lo ? v : lo;
      hi = v > hi ? v : hi;
    }
    this.batch.set(target.source, { lo, hi });
  }

  private endBatch(): void {
    for (const [name, { lo, hi }] of this.batch ?? []) {
      const mean = this.averages.get(name);
      const mix = (old: number, now: number): number => MOMENTUM * old + (1 - MOMENTUM) * now;
      this.averages.set(name, mean ? { lo: mix(mean.lo, lo), hi: mix(mean.hi, hi) } : { lo, hi });
    }
    this.batch?.clear();
  }

  /** What was seen of every source. */
  finish(): Map<string, Observed> {
    if (this.batch && this.batch.size > 0) this.endBatch();
    return new Map(
      [...this.histograms].map(([name, histogram]) => {
        const average = this.averages.get(name);
        return [name, { histogram, ...(average ? { average } : {}) }];
      }),
    );
  }
}
