/** Something that is run over and over. */
export type Runnable = () => unknown;

/** A clock in milliseconds. */
export type Clock = () => number;

const CLOCK: Clock = () => performance.now();

/** Length of the blocks in which warming up is judged, in milliseconds, unless the caller says otherwise. */
const BLOCK = 300;
/** Warm is who has not improved by this factor for two blocks. */
const IMPROVED = 0.97;
const CALM_BLOCKS = 2;
/** What keeps improving is measured after this many milliseconds all the same. */
const WARM_LIMIT = 10000;

/** Times of single runs in milliseconds, until `milliseconds` have passed, at least `least`. */
export async function timeRuns(run: Runnable, milliseconds: number, least = 3, now = CLOCK): Promise<number[]> {
  const list: number[] = [];
  for (const end = now() + milliseconds; now() < end || list.length < least; ) {
    const start = now();
    const pending = run();
    if (pending instanceof Promise) await pending;
    list.push(now() - start);
  }
  return list;
}

/**
 * Runs until the engine's compilation in the background has ended and the best time stays. A macrotask between the blocks
 * lets the engine put optimized code in place. Gives how many runs and milliseconds that took.
 */
export async function warmUp(
  run: Runnable,
  block = BLOCK,
  now = CLOCK,
): Promise<{ runs: number; milliseconds: number }> {
  const start = now();
  let runs = 0;
  for (let best = Infinity, calm = 0; calm < CALM_BLOCKS && now() - start < WARM_LIMIT; ) {
    const times = await timeRuns(run, block, 3, now);
    await new Promise((resolve) => setTimeout(resolve, 0));
    const next = Math.min(...times);
    calm = next > best * IMPROVED ? calm + 1 : 0;
    best = Math.min(best, next);
    runs += times.length;
  }
  return { runs, milliseconds: now() - start };
}
