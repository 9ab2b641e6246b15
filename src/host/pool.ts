import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { type ErrorKind, internalError, QcError } from '../support/errors.js';
import { type Job, type JobName, type Jobs, openJob } from './jobs.js';

/** An error as it crosses from a worker. */
export interface SentError {
  readonly kind?: ErrorKind;
  readonly message: string;
  readonly where?: { readonly file?: string; readonly node?: string; readonly remedy?: string };
  readonly stack?: string;
}

/** What a worker answers: the number of the request, and a result or an error. */
export interface Reply {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: SentError;
}

/** Several threads, or none, that do one job each on the requests they get. */
export interface Pool<N extends JobName> {
  readonly threads: number;
  run(request: Jobs[N]['request']): Promise<Jobs[N]['result']>;
  close(): Promise<void>;
}

/** The script of a worker: beside this file in the sources, beside the command or above its chunks in the package. */
function workerScript(): URL {
  const places = ['./worker.ts', './worker.js', '../worker.js'].map((name) => new URL(name, import.meta.url));
  const found = places.find((url) => existsSync(fileURLToPath(url)));
  if (!found) throw internalError('the script of the worker threads is missing');
  return found;
}

const received = ({ kind, message, where, stack }: SentError): Error => {
  const error = kind ? new QcError(kind, message, where) : new Error(message);
  if (stack) error.stack = stack;
  return error;
};

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** One worker with the requests that wait for it. */
class Thread {
  readonly waiting = new Map<number, Waiting>();
  private readonly worker: Worker;

  constructor(name: JobName, setup: unknown) {
    this.worker = new Worker(workerScript(), { workerData: { name, setup } });
    this.worker.on('message', ({ id, result, error }: Reply) => {
      const caller = this.waiting.get(id);
      this.waiting.delete(id);
      error ? caller?.reject(received(error)) : caller?.resolve(result);
    });
    this.worker.on('error', (error) => this.fail(error));
    this.worker.on('exit', (code) => this.fail(new Error(`a worker thread ended with code ${code}`)));
  }

  private fail(error: Error): void {
    for (const caller of this.waiting.values()) caller.reject(error);
    this.waiting.clear();
  }

  send(id: number, request: unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.worker.postMessage({ id, request });
    });
  }

  async close(): Promise<void> {
    await this.worker.terminate();
  }
}

/**
 * Opens a pool. One thread means this one: the same job runs here, and no worker is started. Otherwise every worker
 * sets the job up for itself; a request goes to the worker that has the fewest.
 */
export async function openPool<N extends JobName>(name: N, setup: Jobs[N]['setup'], threads: number): Promise<Pool<N>> {
  if (threads === 1) {
    const job: Job<N> = await openJob(name, setup);
    return { threads, run: (request) => job(request), close: async () => {} };
  }
  const workers = Array.from({ length: threads }, () => new Thread(name, setup));
  let next = 0;
  return {
    threads,
    run(request) {
      const free = workers.reduce((a, b) => (b.waiting.size < a.waiting.size ? b : a));
      return free.send(next++, request) as Promise<Jobs[N]['result']>;
    },
    async close() {
      await Promise.all(workers.map((worker) => worker.close()));
    },
  };
}

/** The results of requests in their order; as many are under way as keep all threads busy. */
export async function* inOrder<N extends JobName>(
  pool: Pool<N>,
  requests: Iterable<Jobs[N]['request']>,
): AsyncGenerator<Jobs[N]['result']> {
  const ahead = pool.threads === 1 ? 1 : 2 * pool.threads;
  const running: Promise<Jobs[N]['result']>[] = [];
  for (const request of requests) {
    const started = pool.run(request);
    started.catch(() => {}); // reported where it is awaited, in order
    running.push(started);
    if (running.length >= ahead) yield await (running.shift() as Promise<Jobs[N]['result']>);
  }
  for (const result of running) yield await result;
}
