import type { Net, Profile, ProfileOptions, StepTime } from './net.js';

/** A measured time is at least this many times the clock's resolution. */
const RESOLVED = 20;
const MAX_REPEATS = 10000;
/** Warm is who has not improved by this factor for this many passes; at least and at most so many passes. */
const IMPROVED = 0.97;
const CALM_PASSES = 5;
const WARM_PASSES: readonly [number, number] = [20, 500];

/**
 * A pass or run is calm within this factor of the best one. Until so many of both are, rounds go on, at most this many times
 * as long.
 */
const CALM = 1.15;
const ENOUGH = 8;
const MORE_ROUNDS = 6;

const median = (list: readonly number[]): number => [...list].sort((a, b) => a - b)[list.length >> 1]!;
const total = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0);
const mean = (list: readonly number[]): number => total(list) / list.length;

/** The items whose time is calm. */
function calmOf<T>(items: readonly T[], timeOf: (item: T) => number): T[] {
  const limit = CALM * Math.min(...items.map(timeOf));
  return items.filter((item) => timeOf(item) <= limit);
}

/** The smallest step of a clock, the time of reading it included. */
function resolutionOf(now: () => number): number {
  let least = Infinity;
  for (let i = 0; i < 200; i++) {
    const start = now();
    let end = now();
    while (end === start) end = now();
    least = Math.min(least, end - start);
  }
  return least;
}

/** One net under measurement: what was timed so far, in milliseconds. */
interface Passes {
  /** Fills the inputs with what they held at first. */
  fill(): void;
  /** Fills the inputs and times every step, in order. */
  pass(): void;
  /** Fills the inputs and times a whole run. */
  run(): number;
  readonly repeats: number[];
  /** Per pass, the time of each step. */
  readonly passes: number[][];
  readonly runs: number[];
}

function passesOf(net: Net, step: (index: number) => void, count: number, now: () => number): Passes {
  const views = net.inputs.map(({ name }) => net.input(name) as Uint8Array);
  const contents = views.map((view) => view.slice());
  const repeats = new Array<number>(count).fill(1);
  const passes: number[][] = [];
  const runs: number[] = [];
  const fill = (): void => {
    for (let i = 0; i < views.length; i++) views[i]!.set(contents[i]!);
  };
  const pass = (): void => {
    fill();
    const times = new Array<number>(count).fill(0);
    for (let i = 0; i < count; i++) {
      const n = repeats[i]!;
      const start = now();
      for (let k = 0; k < n; k++) step(i);
      times[i] = (now() - start) / n;
    }
    passes.push(times);
  };
  const run = (): number => {
    fill();
    const start = now();
    net.runInPlace();
    const time = now() - start;
    runs.push(time);
    return time;
  };
  return { fill, pass, run, repeats, passes, runs };
}

/** Passes and runs until the engine has optimized everything and the best time stays. */
function warmUp({ pass, run }: Passes): void {
  let best = Infinity;
  for (let i = 0, calm = 0; i < WARM_PASSES[1] && (i < WARM_PASSES[0] || calm < CALM_PASSES); i++) {
    pass();
    const time = run();
    calm = time > best * IMPROVED ? calm + 1 : 0;
    best = Math.min(best, time);
  }
}

/**
 * Times every step of a net that was compiled for profiling, on what its input views hold.
 *
 * A pass fills the inputs and calls the steps in order, so that each finds its operands as a run leaves them, in the same
 * levels of the cache. Steps too short for the clock are called several times in a row: from the second call on they read
 * operands and weights that are close already, and write the same results again. Steps that compute in place are called
 * once, and their mean counts where the clock is coarse. Passes and whole runs take turns; the medians of those count that no
 * other process disturbed. Throws where the net has no steps.
 */
export function profileNet(net: Net, options: ProfileOptions = {}): Profile {
  const { steps, step } = net;
  if (!steps || !step) throw new Error('the module was not compiled for profiling');
  const { rounds = 30, now = () => performance.now() } = options;
  const resolution = resolutionOf(now);
  const measured = passesOf(net, step, steps.length, now);
  const { passes, runs, repeats } = measured;
  warmUp(measured);
  const last = passes.slice(-WARM_PASSES[0]);
  for (const [i, { inPlace }] of steps.entries()) {
    const estimate = Math.max(mean(last.map((times) => times[i]!)), 1e-9);
    if (!inPlace) repeats[i] = Math.min(MAX_REPEATS, Math.ceil((RESOLVED * resolution) / estimate));
  }
  passes.length = 0;
  runs.length = 0;
  const itself = (time: number): number => time;
  const enough = (): boolean =>
    Math.min(calmOf(passes, total).length, calmOf(runs, itself).length) >= Math.min(rounds, ENOUGH);
  for (let i = 0; i < rounds || (i < MORE_ROUNDS * rounds && !enough()); i++) {
    measured.pass();
    measured.run();
  }
  measured.fill();
  const calm = calmOf(passes, total);
  const timed = steps.map((info, i): StepTime => {
    const list = calm.map((times) => times[i]!);
    const coarse = info.inPlace && median(list) < RESOLVED * resolution;
    return { ...info, milliseconds: coarse ? mean(list) : median(list), repeats: repeats[i]! };
  });
  const calmRuns = calmOf(runs, itself);
  const sum = total(timed.map(({ milliseconds }) => milliseconds));
  return {
    rounds: runs.length,
    run: median(calmRuns),
    calm: Math.min(calm.length, calmRuns.length),
    sum,
    steps: timed,
  };
}
