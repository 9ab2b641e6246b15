import { listen, type WorkerLike } from './worker.js';

/** What a worker answers. */
interface Answer {
  readonly value?: unknown;
  readonly error?: { readonly name: string; readonly message: string };
}

interface Pending {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

const KINDS: Readonly<Record<string, ErrorConstructor>> = { TypeError, RangeError };
const nameOf = (error: unknown): string => (error as { message?: string })?.message || String(error);

/** Workers on one memory: the first runs what it is asked to, in the order of the questions, and the others help. */
export class ThreadTeam {
  readonly size: number;
  private readonly name: string;
  private readonly workers: readonly WorkerLike[];
  /** Questions without an answer, by worker. */
  private readonly waiting: Pending[][];
  private failure: Error | undefined;

  private constructor(name: string, workers: readonly WorkerLike[]) {
    this.name = name;
    this.workers = workers;
    this.size = workers.length;
    this.waiting = workers.map(() => []);
    for (const [index, worker] of workers.entries()) {
      listen(
        worker,
        (data) => this.finish(index, data as Answer),
        (error) => this.fail(new Error(`${name}: a thread failed: ${nameOf(error)}`)),
      );
    }
  }

  /** Has workers start, which make instances of the module on the memory. */
  static async start(name: string, workers: readonly WorkerLike[], shared: object): Promise<ThreadTeam> {
    const team = new ThreadTeam(name, workers);
    try {
      await Promise.all(team.workers.map((_, index) => team.send(index, { ...shared, index })));
    } catch (error) {
      team.end();
      throw error;
    }
    return team;
  }

  /** Has the first worker run; the net is free for the next question when the answer is there. */
  ask(question: object): Promise<unknown> {
    return this.send(0, question);
  }

  /** Ends the workers; questions without an answer are rejected. */
  end(): void {
    for (const worker of this.workers) worker.terminate();
    this.fail(new Error(`${this.name}: the net was freed`));
  }

  private fail(error: Error): void {
    this.failure ??= error;
    for (const { reject } of this.waiting.flatMap((list) => list.splice(0))) reject(this.failure);
  }

  private send(index: number, message: object): Promise<unknown> {
    const worker = this.workers[index] as WorkerLike;
    return new Promise((resolve, reject) => {
      if (this.failure) throw this.failure;
      worker.postMessage(message);
      this.waiting[index]?.push({ resolve, reject });
      worker.ref?.(); // Node ends when nothing but idle threads is left
    });
  }

  private finish(index: number, { value, error }: Answer): void {
    const list = this.waiting[index] as Pending[];
    const pending = list.shift();
    if (list.length === 0) this.workers[index]?.unref?.();
    if (error) pending?.reject(new (KINDS[error.name] ?? Error)(error.message));
    else pending?.resolve(value);
  }
}
