import type { Call } from './plan.js';

/** The calls of a run, cut where the node changes: the steps of a profile build, in order. */
export function stepsOf(calls: readonly Call[]): readonly (readonly Call[])[] {
  const steps: Call[][] = [];
  for (const call of calls) {
    const last = steps.at(-1);
    if (last?.[0]?.node === call.node) last.push(call);
    else steps.push([call]);
  }
  return steps;
}
