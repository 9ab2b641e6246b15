import type { ProbeSpeed } from './job.js';

/** Products per turn of the probe's loop. */
export const PROBE_UNROLL = 48;

const LANES = 8;
const TURNS = 20000;
/** Calls until the engine has optimized the function. */
const WARM_CALLS = 200;
/** Long enough (some 60 ms) to notice that the core is shared. */
const CALLS = 400;

/** Runs the probe for a while. */
export function probeSpeed(module: WebAssembly.Module): ProbeSpeed {
  const { exports } = new WebAssembly.Instance(module);
  const probe = exports.probe as (count: number) => void;
  for (let i = 0; i < WARM_CALLS; i++) probe(TURNS);
  const speed = (calls: number, milliseconds: number): number =>
    (calls * TURNS * PROBE_UNROLL * LANES) / milliseconds / 1e6;
  let best = Infinity;
  const start = performance.now();
  for (let i = 0, last = start; i < CALLS; i++) {
    probe(TURNS);
    const now = performance.now();
    best = Math.min(best, now - last);
    last = now;
  }
  return { mean: speed(CALLS, performance.now() - start), best: speed(1, best) };
}
