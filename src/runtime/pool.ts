import type { LoadOptions, Source, TypedArray } from './net.js';
import { listen, type WorkerLike } from './worker.js';

// Becomes the text of NAME.pool.mjs: it stands alone, as loader.ts does.

type Outputs = Record<string, TypedArray>;

/** Instances of a net in workers. */
export interface Pool {
  readonly size: number;
  /** Runs in the next worker that is free. A batch is one call: give the items one by one to spread them. */
  run(inputs: Readonly<Record<string, unknown>>): Promise<Outputs>;
  /** Ends the workers; calls that have not finished are rejected. */
  free(): void;
}

interface Task {
  readonly message: object;
  resolve(value: unknown): void;
  reject(error: Error): void;
}

const nameOf = (error: unknown): string => (error as { message?: string })?.message ?? String(error);

/** One worker and the task it has. */
class Member {
  private task: Task | undefined;
  private readonly worker: WorkerLike;
  private readonly idle: (member: Member) => void;

  constructor(worker: WorkerLike, name: string, idle: (member: Member) => void) {
    this.worker = worker;
    this.idle = idle;
    listen(
      worker,
      (data) => this.finish(data as { value?: unknown; error?: string }),
      (error) => this.finish({ error: `${name}: a worker failed: ${nameOf(error)}` }),
    );
  }

  give(task: Task): void {
    this.task = task;
    try {
      this.worker.postMessage(task.message);
    } catch (error) {
      this.finish({ error: nameOf(error) });
    }
  }

  finish({ value, error }: { value?: unknown; error?: string }): void {
    const { task } = this;
    this.task = undefined;
    if (error === undefined) task?.resolve(value);
    else task?.reject(new Error(error));
    if (task) this.idle(this);
  }

  end(reason: string): void {
    this.worker.terminate();
    this.task?.reject(new Error(reason));
    this.task = undefined;
  }
}

/**
 * Makes `createPool` of a package: `spawn` starts a worker that serves the protocol of pool-worker.ts. `createPool` loads
 * the net in `size` workers, each with its own memory; `source` and `options` are those of `load`.
 */
export function poolOf(name: string, spawn: () => WorkerLike) {
  return async function createPool(
    size: number,
    source?: Source,
    options: Omit<LoadOptions, 'fetch'> = {},
  ): Promise<Pool> {
    if (!Number.isInteger(size) || size < 1)
      throw new RangeError(`${name}: a pool has a positive number of workers, not ${size}`);
    const waiting: Task[] = [];
    const free: Member[] = [];
    let freed = false;
    const next = (member: Member): void => {
      const task = waiting.shift();
      if (task) member.give(task);
      else free.push(member);
    };
    const ask = (message: object, member?: Member): Promise<unknown> =>
      new Promise((resolve, reject) => {
        const task = { message, resolve, reject };
        if (freed) reject(new Error(`${name}: the pool was freed`));
        else if (member) member.give(task);
        else {
          const idle = free.pop();
          if (idle) idle.give(task);
          else waiting.push(task);
        }
      });
    const members = Array.from({ length: size }, () => new Member(spawn(), name, next));
    const end = (): void => {
      freed = true;
      for (const member of members) member.end(`${name}: the pool was freed`);
      for (const task of waiting.splice(0)) task.reject(new Error(`${name}: the pool was freed`));
    };
    const from = source instanceof URL ? String(source) : source;
    try {
      await Promise.all(members.map((member) => ask({ source: from, options }, member)));
    } catch (error) {
      end();
      throw error;
    }
    return { size, run: (inputs) => ask({ inputs }) as Promise<Outputs>, free: end };
  };
}
