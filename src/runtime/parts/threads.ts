import { MOST_THREADS } from '../abi.js';
import type { LoadOptions, Net } from '../net.js';
import type { LoaderPart, NetContext } from '../part.js';
import { sharedImports } from '../shared-memory.js';
import { ThreadTeam } from '../thread-team.js';
import type { WorkerLike } from '../worker.js';

/** Threads where the caller leaves the number open: more than so many cores are rarely all free. */
const MOST_BY_DEFAULT = 8;

/** Processors of the machine, as far as the engine tells. */
function processors(): number {
  const { navigator, process } = globalThis as {
    navigator?: { hardwareConcurrency?: number };
    process?: { getBuiltinModule?(id: string): { availableParallelism?(): number } | undefined };
  };
  return navigator?.hardwareConcurrency ?? process?.getBuiltinModule?.('node:os')?.availableParallelism?.() ?? 1;
}

type Threads = LoadOptions['threads'];
const asked = (threads: Threads): threads is number | true => threads !== undefined && threads !== false;

/** How many threads a net gets. Pages that are not cross-origin isolated have no SharedArrayBuffer, and get one. */
function countOf(name: string, { threads, memory }: LoadOptions): number {
  if (!asked(threads) || memory) return 1;
  if (threads !== true && !(Number.isInteger(threads) && threads > 0 && threads <= MOST_THREADS))
    throw new RangeError(`${name}: threads is true or a number from 1 to ${MOST_THREADS}, not ${threads}`);
  if (typeof SharedArrayBuffer === 'undefined') return 1;
  return threads === true ? Math.min(processors(), MOST_BY_DEFAULT) : threads;
}

/** Workers for several threads; none where the engine has no workers (workerd), as for one thread. */
function startWorkers(spawn: () => WorkerLike, count: number): WorkerLike[] {
  const workers: WorkerLike[] = [];
  try {
    while (count > 1 && workers.length < count) workers.push(spawn());
    return workers;
  } catch {
    for (const worker of workers) worker.terminate();
    return [];
  }
}

/** Makes a net asynchronous, computed by a team of workers or, without one, here. */
function makeThreaded(net: Net, { exports }: NetContext, team: ThreadTeam | null): Net {
  const { run, runInPlace, free } = net;
  const entries = (net as { readonly entries?: readonly Net[] }).entries ?? [];
  const later =
    <A extends readonly unknown[], R>(
      here: (...args: A) => R,
      ask: (team: ThreadTeam, ...args: A) => Promise<unknown>,
    ) =>
    async (...args: A): Promise<R> => {
      exports(); // throws where the net was freed
      return team ? ((await ask(team, ...args)) as R) : here(...args);
    };
  for (const [entry, one] of entries.entries())
    Object.assign(one, {
      run: later(one.run, (t, inputs) => t.ask({ inputs, entry })),
      runInPlace: later(one.runInPlace, (t) => t.ask({ entry })),
    });
  return Object.assign(net, {
    threads: team?.size ?? 1,
    run: later(run, (t, inputs) => t.ask({ inputs })),
    runInPlace: later(runInPlace, (t) => t.ask({})),
    free() {
      try {
        exports().stop?.();
      } catch {} // freed before
      free();
      team?.end();
    },
  });
}

/**
 * load({ threads }): a run is shared by several workers on one memory, and gives a promise. `spawn` starts a worker that
 * serves the protocol of thread-worker.ts; without it there is one thread.
 */
export const threads = (spawn?: () => WorkerLike): LoaderPart => ({
  imports: (info, options, name) =>
    options.memory ? { env: { memory: options.memory } } : sharedImports(info, spawn ? countOf(name, options) : 1),
  async ready(net, context) {
    const { name, options, module } = context;
    if (!asked(options.threads)) return net;
    const workers = spawn ? startWorkers(spawn, countOf(name, options)) : [];
    const { memory } = context.exports();
    const team = workers.length > 0 ? await ThreadTeam.start(name, workers, { module, memory }) : null;
    return makeThreaded(net, context, team);
  },
});
