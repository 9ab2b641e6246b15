import { type ChildProcess, fork, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { internalError, modelError } from '../../support/errors.js';
import type { BenchSession } from '../../tasks/bench.js';
import type { Answer, Job, Message, RequestName, Requests } from './job.js';

/** How a measuring process is started. */
export interface Placement {
  /** The Node that runs it; this one by default. */
  readonly node?: string;
  /** The core it is pinned to, where the system has `taskset`. */
  readonly core?: string;
}

/** The script of the process: beside this file in the sources, beside the command or above its chunks in the package. */
function childScript(): string {
  const places = ['./child.ts', './bench-child.js', '../bench-child.js'].map((name) => new URL(name, import.meta.url));
  const found = places.map((url) => fileURLToPath(url)).find((path) => existsSync(path));
  if (!found) throw internalError('the script of the measuring process is missing');
  return found;
}

/** Whether processes can be pinned to a core here. */
export const canPin = (): boolean => spawnSync('taskset', ['--version']).status === 0;

/** A process that measures one network in one engine. It ends when this process does. */
class Session {
  private readonly child: ChildProcess;
  private readonly what: string;
  private said = '';
  private waiting: { resolve(value: unknown): void; reject(error: Error): void } | undefined;

  private constructor(what: string, { node = process.execPath, core }: Placement) {
    this.what = what;
    const script = childScript();
    const own = script.endsWith('.ts') ? process.execArgv : [];
    const pinned = core === undefined ? null : ['-c', core, node];
    this.child = fork(script, {
      execPath: pinned ? 'taskset' : node,
      execArgv: [...(pinned ?? []), ...own],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.child.stderr?.on('data', (chunk: Buffer) => {
      this.said = (this.said + chunk.toString()).slice(-2000);
    });
    this.child.on('message', (answer) => this.settle(answer as Answer));
    this.child.on('error', (error) => this.settle({ error: error.message }));
    this.child.on('exit', (code, signal) =>
      this.settle({
        error: `the process ended with ${signal ?? `code ${code}`}${this.said ? `: ${this.said.trim()}` : ''}`,
      }),
    );
  }

  /** Starts a process for a job; `what` names it in errors. */
  static async open(what: string, job: Job, placement: Placement = {}): Promise<Session> {
    const session = new Session(what, placement);
    await session.send({ job });
    return session;
  }

  private settle(answer: Answer): void {
    const caller = this.waiting;
    this.waiting = undefined;
    if ('result' in answer) caller?.resolve(answer.result);
    else caller?.reject(modelError(`${this.what}: ${answer.error}`));
  }

  private send(message: Message): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.waiting = { resolve, reject };
      this.child.send(message, (error) => error && this.settle({ error: error.message }));
    });
  }

  /** Asks the process for something; one request at a time. Throws a model error where the engine fails. */
  ask<N extends RequestName>(name: N, request: Requests[N]['request']): Promise<Requests[N]['result']> {
    return this.send({ name, request }) as Promise<Requests[N]['result']>;
  }

  close(): void {
    this.child.removeAllListeners('exit');
    this.child.kill();
  }
}

/** Starts a process for a job; `what` names it in errors. */
export async function openSession(what: string, job: Job, placement: Placement = {}): Promise<BenchSession> {
  const session = await Session.open(what, job, placement);
  return {
    about: () => session.ask('about', {}),
    load: () => session.ask('load', {}),
    warmUp: (block) => session.ask('warmUp', { block }),
    measure: (milliseconds) => session.ask('measure', { milliseconds }),
    profile: (rounds) => session.ask('profile', rounds === undefined ? {} : { rounds }),
    peaks: () => session.ask('peaks', {}),
    probe: () => session.ask('probe', {}),
    memory: () => session.ask('memory', {}),
    close: () => session.close(),
  };
}
