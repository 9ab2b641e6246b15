import type { Net, Profile, ProfileOptions, StepTime } from './net.js';

/** A measured time is at least this many times the clock's resolution. */
const RESOLVED = 20;
const MAX_REPEATS = 10000;
/** Warm is who has not improved by this factor for this many passes; at least and at most so many passes. */
const IMPROVED = 0.97;
const CALM_PASSES = 5;
const WARM_PASSES: readonly [number, number] = [20, 500];

/** A run is calm within this factor of the best; until so many are, rounds go on, at most this many times as long. */
const CALM = 1.15;
const CALM_RUNS = 8;
const MORE_ROUNDS = 6;

const median = (list: readonly number[]): number => [...list].sort((a, b) => a - b)[list.length >> 1]!;
const calmOf = (list: readonly number[]): number[] => list.filter((time) => time <= CALM * Math.min(...list));
const mean = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0) / list.length;

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
  readonly times: number[][];
  readonly runs: number[];
}

function passesOf(net: Net, step: (index: number) => void, count: number, now: () => number): Passes {
  const views = net.inputs.map(({ name }) => net.input(name) as Uint8Array);
  const contents = views.map((view) => view.slice());
  const repeats = new Array<number>(count).fill(1);
  const times: number[][] = repeats.map(() => []);
  const runs: number[] = [];
  const fill = (): void => {
    for (let i = 0; i < views.length; i++) views[i]!.set(contents[i]!);
  };
  const pass = (): void => {
    fill();
    for (let i = 0; i < count; i++) {
      const n = repeats[i]!;
      const start = now();
      for (let k = 0; k < n; k++) step(i);
      times[i]!.push((now() - start) / n);
    }
  };
  const run = (): number => {
    fill();
    const start = now();
    net.runInPlace();
    const time = now() - start;
    runs.push(time);
    return time;
  };
  return { fill, pass, run, repeats, times, runs };
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
 * once, and their mean counts where the clock is coarse. Passes and whole runs take turns; medians count, of the runs those
 * of calm ones: a run is long enough to be interrupted, a step hardly ever. Throws where the net has no steps.
 */
export function profileNet(net: Net, options: ProfileOptions = {}): Profile {
  const { steps, step } = net;
  if (!steps || !step) throw new Error('the module was not compiled for profiling');
  const { rounds = 30, now = () => performance.now() } = options;
  const resolution = resolutionOf(now);
  const passes = passesOf(net, step, steps.length, now);
  const { times, runs, repeats } = passes;
  warmUp(passes);
  for (const [i, { inPlace }] of steps.entries()) {
    const estimate = Math.max(mean(times[i]!.slice(-WARM_PASSES[0])), 1e-9);
    if (!inPlace) repeats[i] = Math.min(MAX_REPEATS, Math.ceil((RESOLVED * resolution) / estimate));
    times[i]!.length = 0;
  }
  runs.length = 0;
  const enough = Math.min(rounds, CALM_RUNS);
  for (let i = 0; i < rounds || (i < MORE_ROUNDS * rounds && calmOf(runs).length < enough); i++) {
    passes.pass();
    passes.run();
  }
  passes.fill();
  const measured = steps.map((info, i): StepTime => {
    const list = times[i]!;
    const coarse = info.inPlace && median(list) < RESOLVED * resolution;
    return { ...info, milliseconds: coarse ? mean(list) : median(list), repeats: repeats[i]! };
  });
  const calm = calmOf(runs);
  const sum = measured.reduce((n, s) => n + s.milliseconds, 0);
  return { rounds: runs.length, run: median(calm), calm: calm.length, sum, steps: measured };
}
