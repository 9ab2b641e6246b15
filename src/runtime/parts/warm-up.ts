import type { LoaderPart } from '../part.js';

/** Runs of a warm-up: engines compile what runs often again, in the background, and take the result with a later call. */
const RUNS = 3;

/** load({ warmUp: true }): the net has run before it is handed out, and the engine had time to optimize it. */
export const warmUp: LoaderPart = {
  async ready(net, { options }) {
    if (options.warmUp)
      for (let run = 0; run < RUNS; run++) {
        const start = performance.now();
        await net.runInPlace();
        const pause = performance.now() - start;
        await new Promise((resume) => setTimeout(resume, pause));
      }
    return net;
  },
};
