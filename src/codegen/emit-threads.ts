import { MOST_THREADS } from '../runtime/abi.js';
import { assert } from '../support/errors.js';
import type { Expr, I32, Stmt } from './builder/expr.js';
import type { FunctionBuilder } from './builder/function.js';
import type { ModuleBuilder } from './builder/module.js';
import { CONTROL_LINE, CONTROL_WORDS, type ThreadMemory } from './plan/memory.js';
import type { Phase, Task } from './plan/phases.js';
import { type Call, entryExport } from './plan/plan.js';

/*
 * How threads share a run. One thread leads: it calls `run`. Others have called `help` and stay in it; they join every run,
 * at any time, and a run needs none of them: whoever is there takes the next task. Words of the control lines:
 *
 * - state: odd while a run is open. Helpers wait for its change.
 * - inside: helpers that are in a run. The leader waits until they have left before it returns, so that no one is late
 *   when the words of the phases start anew.
 * - asleep: threads that sleep on any word: nobody notifies where there are none.
 * - orders: the entry that runs, and in the word behind it whether helpers are to return.
 * - for each phase: how many tasks are taken, in the low half those from the front, in the high half those from the back, and
 *   in the word behind it how many are done.
 *
 * Threads with even numbers take tasks from the front, others from the back: neighbouring tasks are mostly neighbouring
 * rows, so that threads find much of what they read in their own cache.
 */
const LINE = { state: 0, inside: 1, asleep: 2, orders: 3 } as const;

/** Reads of a word before a thread goes to sleep: some 50 microseconds, as waking up takes about as long. */
const SPINS = 20_000;

/** What a task from the back adds to the count. */
const FROM_BACK = 1 << 16;
/** The most tasks of a phase, with room for threads that come too late. */
const MOST_TASKS = FROM_BACK - 2 * MOST_THREADS;

/** Name of the function that waits until a word holds a value, and of the one that waits until it holds another. */
const AWAIT = { equal: 'wait-for', other: 'wait-for-other' } as const;

/** An argument of a call in a run of similar ones: its value in the first, and what each further one adds. */
type Series = { readonly call: Call; readonly count: number; readonly steps: readonly number[] };

/** What the emission of calls offers. */
export interface CallEmitter {
  /** The name of the function of a call's kernel. */
  nameOf(call: Call): string;
  /** The arguments; `thread` is the thread that calls. */
  argumentsOf(f: FunctionBuilder, call: Call, thread: I32): Expr[];
  /** The value of an argument in a phase, in bytes for addresses. */
  numberOf(call: Call, index: number): number;
}

/** Neighbouring tasks of one call each whose arguments grow evenly, as one. */
function seriesOf(phase: Phase, emitter: CallEmitter): (Series | Task)[] {
  const out: (Series | Task)[] = [];
  for (const task of phase) {
    const [call] = task as [Call];
    const last = out.at(-1);
    const single = task.length === 1;
    const extended = single && last && 'steps' in last ? extend(last, call, emitter) : null;
    if (extended) out[out.length - 1] = extended;
    else out.push(single ? { call, count: 1, steps: [] } : task);
  }
  return out;
}

/** A series with one call more, where the call continues it. */
function extend(series: Series, call: Call, emitter: CallEmitter): Series | null {
  if (emitter.nameOf(call) !== emitter.nameOf(series.call)) return null;
  const { count } = series;
  const steps = call.args.map((_, i) => (emitter.numberOf(call, i) - emitter.numberOf(series.call, i)) / count);
  const even = steps.every((step, i) => Number.isInteger(step) && (count === 1 || step === series.steps[i]));
  const sameScalars = call.args.every((arg, i) => typeof arg === 'object' || arg === series.call.args[i]);
  return even && sameScalars ? { ...series, count: count + 1, steps } : null;
}

/** Adds the functions of a run on several threads to a module. */
export class ThreadEmitter {
  private readonly builder: ModuleBuilder;
  private readonly memory: ThreadMemory;
  private readonly emitter: CallEmitter;

  constructor(builder: ModuleBuilder, memory: ThreadMemory, emitter: CallEmitter) {
    this.builder = builder;
    this.memory = memory;
    this.emitter = emitter;
  }

  /** Adds `run` of every entry, `help` and `stop`. */
  add(schedule: readonly (readonly Phase[])[]): void {
    this.addWaits();
    let first = 0;
    for (const [entry, phases] of schedule.entries()) {
      const [start, name] = [first, `work-${entry}`];
      this.builder.addFunction(name, { params: ['i32'] }, (f) =>
        phases.flatMap((phase, i) => this.phase(f, phase, start + i)),
      );
      this.builder.addFunction(entryExport(entry), { params: [] }, (f) => this.lead(f, entry, phases.length, start));
      this.builder.exportFunction(entryExport(entry), entryExport(entry));
      first += phases.length;
    }
    this.builder.addFunction('help', { params: ['i32'] }, (f) => this.help(f, schedule.length));
    this.builder.exportFunction('help', 'help');
    this.builder.addFunction('stop', { params: [] }, (f) => this.stop(f));
    this.builder.exportFunction('stop', 'stop');
  }

  private word(f: FunctionBuilder, line: keyof typeof LINE, offset = 0): I32 {
    return f.i32(this.memory.control + LINE[line] * CONTROL_LINE + offset);
  }

  private ofPhase(f: FunctionBuilder, phase: number, word: 'next' | 'done'): I32 {
    return f.i32(this.memory.control + (CONTROL_WORDS + phase) * CONTROL_LINE + (word === 'next' ? 0 : 4));
  }

  /** Wakes who sleeps on a word; the word must have changed before. */
  private wake(f: FunctionBuilder, word: I32): Stmt {
    return f.when(f.atomic.load(this.word(f, 'asleep')), [f.atomic.notify(word)]);
  }

  private addWaits(): void {
    for (const [kind, name] of Object.entries(AWAIT))
      this.builder.addFunction(name, { params: ['i32', 'i32'] }, (f) => {
        const [word, value] = [f.param(0, 'i32'), f.param(1, 'i32')];
        const [seen, spins] = [f.local('i32'), f.local('i32')];
        const differs = f.sub(seen, value);
        const waits = kind === 'equal' ? differs : f.equalsZero(differs);
        const asleep = this.word(f, 'asleep');
        const sleep = [f.atomic.increase(asleep, 1), f.atomic.wait(word, seen), f.atomic.increase(asleep, -1)];
        const pause = f.when(f.ltU(spins, SPINS), [spins.set(f.add(spins, 1))], sleep);
        return [f.repeatWhile([seen.set(f.atomic.load(word)), f.when(waits, [pause])], waits)];
      });
  }

  /** Takes tasks of a phase until none is left, then waits for those that others have taken. */
  private phase(f: FunctionBuilder, phase: Phase, index: number): Stmt[] {
    const [next, done] = [this.ofPhase(f, index, 'next'), this.ofPhase(f, index, 'done')];
    const total = phase.length;
    assert(total < MOST_TASKS, 'counts of tasks fit in halves of a word');
    const [taken, front, back] = [f.local('i32'), f.local('i32'), f.local('i32')];
    const task = f.local('i32');
    const items = seriesOf(phase, this.emitter);
    const finished = f.equalsZero(f.sub(f.atomic.add(done, 1), total - 1));
    const isOdd = f.shrU(f.shl(f.param(0, 'i32'), 31), 31);
    const isLeft = f.ltU(f.add(front, back), total);
    const take = [
      taken.set(f.atomic.add(next, f.choose(isOdd, f.i32(FROM_BACK), f.i32(1)))),
      front.set(f.shrU(f.shl(taken, 16), 16)),
      back.set(f.shrU(taken, 16)),
      task.set(f.choose(isOdd, f.sub(f.i32(total - 1), back), front)),
      f.when(isLeft, [this.dispatch(f, items, task), f.when(finished, [this.wake(f, done)])]),
    ];
    const waits = f.sub(f.atomic.load(done), total);
    const more = f.ltU(f.add(front, back), total - 1);
    return [f.when(waits, [f.repeatWhile(take, more), f.call(AWAIT.equal, [done, f.i32(total)])])];
  }

  /** Runs task number `task`. */
  private dispatch(f: FunctionBuilder, items: readonly (Series | Task)[], task: I32, first = 0): Stmt {
    const counts = items.map((item) => ('steps' in item ? item.count : 1));
    if (items.length === 1) return this.item(f, items[0] as Series | Task, task, first);
    const half = items.length >> 1;
    const middle = first + counts.slice(0, half).reduce((a, b) => a + b, 0);
    return f.when(
      f.ltU(task, middle),
      [this.dispatch(f, items.slice(0, half), task, first)],
      [this.dispatch(f, items.slice(half), task, middle)],
    );
  }

  private item(f: FunctionBuilder, item: Series | Task, task: I32, first: number): Stmt {
    const thread = f.param(0, 'i32');
    const calls = 'steps' in item ? [item.call] : item;
    const steps = 'steps' in item ? item.steps : [];
    return f.seq(
      calls.map((call) => {
        const args = this.emitter.argumentsOf(f, call, thread).map((arg, i) => {
          const step = steps[i] ?? 0;
          return step === 0 ? arg : f.add(arg as I32, f.mul(first === 0 ? task : f.sub(task, first), step));
        });
        return f.call(this.emitter.nameOf(call), args);
      }),
    );
  }

  private lead(f: FunctionBuilder, entry: number, phases: number, first: number): Stmt[] {
    const [state, inside] = [this.word(f, 'state'), this.word(f, 'inside')];
    return [
      f.call('init', []),
      f.storeI32(this.word(f, 'orders'), f.i32(entry)),
      f.fill(this.ofPhase(f, first, 'next'), 0, phases * CONTROL_LINE),
      f.atomic.increase(state, 1),
      this.wake(f, state),
      f.call(`work-${entry}`, [f.i32(0)]),
      f.atomic.increase(state, 1),
      f.call(AWAIT.equal, [inside, f.i32(0)]),
    ];
  }

  private help(f: FunctionBuilder, entries: number): Stmt[] {
    const thread = f.param(0, 'i32');
    const [state, inside] = [this.word(f, 'state'), this.word(f, 'inside')];
    const seen = f.local('i32');
    const entry = f.loadI32(this.word(f, 'orders'));
    const work = Array.from({ length: entries }, (_, i) =>
      f.when(f.equalsZero(f.sub(entry, i)), [f.call(`work-${i}`, [thread])]),
    );
    const isOpen = f.shl(seen, 31);
    const stays = f.equalsZero(f.atomic.load(this.word(f, 'orders', 4)));
    const leave = f.when(f.equalsZero(f.sub(f.atomic.add(inside, -1), 1)), [this.wake(f, inside)]);
    const join = [
      f.atomic.increase(inside, 1),
      // between the look at the state and this, the run may have been closed
      f.when(f.equalsZero(f.sub(f.atomic.load(state), seen)), work),
      leave,
    ];
    return [
      f.repeatWhile(
        [seen.set(f.atomic.load(state)), f.when(isOpen, join), f.when(stays, [f.call(AWAIT.other, [state, seen])])],
        stays,
      ),
    ];
  }

  /** Lets the helpers return. */
  private stop(f: FunctionBuilder): Stmt[] {
    const state = this.word(f, 'state');
    return [f.atomic.increase(this.word(f, 'orders', 4), 1), f.atomic.increase(state, 2), f.atomic.notify(state)];
  }
}
