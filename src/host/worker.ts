/** What a worker thread runs: it sets up the job it was made for and answers requests one after another. */
import { parentPort, workerData } from 'node:worker_threads';
import { QcError } from '../support/errors.js';
import { type JobName, type Jobs, openJob } from './jobs.js';
import type { Reply, SentError } from './pool.js';

interface Request {
  readonly id: number;
  readonly request: Jobs[JobName]['request'];
}

function sent(error: unknown): SentError {
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  if (!(error instanceof QcError)) return { message, ...(stack ? { stack } : {}) };
  const { file, node, remedy } = error.where;
  return {
    kind: error.kind,
    message,
    where: { ...(file ? { file } : {}), ...(node ? { node } : {}), ...(remedy ? { remedy } : {}) },
  };
}

const { name, setup } = workerData as { name: JobName; setup: Jobs[JobName]['setup'] };
const job = openJob(name, setup);
job.catch(() => {}); // every request reports it
let last: Promise<void> = Promise.resolve();

async function answer({ id, request }: Request): Promise<void> {
  try {
    const result = await (await job)(request);
    parentPort?.postMessage({ id, result } satisfies Reply);
  } catch (error) {
    parentPort?.postMessage({ id, error: sent(error) } satisfies Reply);
  }
}

parentPort?.on('message', (message: Request) => {
  last = last.then(() => answer(message));
});
