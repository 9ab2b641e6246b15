import { modelError } from '../../support/errors.js';
import { SLACK_BYTES } from '../kernel.js';
import type { Phase } from './phases.js';
import { type Buffer, type Call, isRef, type Plan } from './plan.js';

/** Addresses of a plan's buffers and the size of its memory, in bytes. */
export interface MemoryMap {
  readonly addresses: readonly number[];
  /** Bytes from 0 that the file fills: the data section. */
  readonly dataEnd: number;
  readonly weights: number;
  readonly activations: number;
  /** With one thread, where there can be several. */
  readonly total: number;
  /** Where several threads run. */
  readonly threads?: ThreadMemory;
}

/** Memory of threads, in bytes. */
export interface ThreadMemory {
  /** A line of `CONTROL_LINE` bytes for each of the words that threads wait on: see emit-threads.ts. */
  readonly control: number;
  /** What every thread but the first needs besides: scratch of tasks, at this distance from that of the thread before. */
  readonly perThread: number;
}

/** Words that threads write often lie in different cache lines. */
export const CONTROL_LINE = 64;
/** Lines of words that all phases have in common. */
export const CONTROL_WORDS = 4;

/** Address 0 holds the word that says whether `init` has run; buffers start behind it. */
export const INIT_FLAG_ADDRESS = 0;
const FIRST_ADDRESS = 64;
const ALIGNMENT = 64;
/** The most that 32-bit memory can hold, but for its last page. */
const MAX_BYTES = 2 ** 32 - 65536;

const aligned = (n: number): number => Math.ceil(n / ALIGNMENT) * ALIGNMENT;

/** First and last step that names each buffer; the calls of a step may run at the same time. */
function lifetimes(steps: readonly (readonly Call[])[]): Map<number, [number, number]> {
  const lives = new Map<number, [number, number]>();
  steps.forEach((calls, time) => {
    for (const arg of calls.flatMap((call) => call.args)) {
      if (!isRef(arg)) continue;
      const life = lives.get(arg.buffer);
      if (life) life[1] = time;
      else lives.set(arg.buffer, [time, time]);
    }
  });
  return lives;
}

/**
 * Places every buffer: data first (it is in the file), then packed weights, inputs and outputs, then the arena.
 * Arena buffers are placed by size, largest first, at the lowest address where no buffer alive at the same time is
 * (greedy by size, Pisarchyk and Lee, "Efficient memory management for deep neural net inference", 2020).
 * With the phases of all entries, for several threads, the words that they wait on follow, then scratch of tasks. Throws a model
 * error for more than a module can have.
 */
export function planMemory(plan: Plan, phases?: readonly Phase[]): MemoryMap {
  const addresses = new Array<number>(plan.buffers.length).fill(0);
  let end = FIRST_ADDRESS;
  const placeAll = (kinds: readonly Buffer['kind'][]): number => {
    const start = end;
    plan.buffers.forEach((buffer, i) => {
      if (!kinds.includes(buffer.kind)) return;
      addresses[i] = end;
      end += aligned(buffer.bytes);
    });
    return end - start;
  };
  let weights = placeAll(['data']);
  const dataEnd = end;
  weights += placeAll(['packed']);
  const border = placeAll(['input', 'output']);
  const lives = lifetimes(phases ? phases.map((phase) => phase.flat()) : plan.calls.map((call) => [call]));
  const arena = placeArena(plan, addresses, end, lives, (buffer) => !phases || !buffer.ofTask);
  let total = end + arena + SLACK_BYTES;
  let threads: ThreadMemory | undefined;
  if (phases) {
    const control = aligned(total);
    const base = control + (CONTROL_WORDS + phases.length) * CONTROL_LINE;
    const perThread = placeArena(plan, addresses, base, lives, (buffer) => buffer.ofTask === true);
    threads = { control, perThread };
    total = base + perThread + SLACK_BYTES;
  }
  if (total > MAX_BYTES)
    throw modelError(`the network needs ${(total / 2 ** 30).toFixed(1)} GiB of memory, a module can have 4`, {
      remedy: 'Compile it for smaller inputs: --input-shape, --batch.',
    });
  return { addresses, dataEnd, weights, activations: border + arena, total, ...(threads && { threads }) };
}

/** Places those buffers of the arena that `chosen` takes from `base` on; gives the bytes that they need. */
function placeArena(
  plan: Plan,
  addresses: number[],
  base: number,
  lives: ReadonlyMap<number, [number, number]>,
  chosen: (buffer: Buffer) => boolean,
): number {
  const arena = plan.buffers.map((buffer, i) => ({ i, bytes: aligned(buffer.bytes), buffer }));
  const waiting = arena.filter((b) => b.buffer.kind === 'arena' && lives.has(b.i) && chosen(b.buffer));
  waiting.sort((a, b) => b.bytes - a.bytes || a.i - b.i);
  const placed: { start: number; end: number; life: [number, number] }[] = [];
  let high = 0;
  for (const { i, bytes } of waiting) {
    const life = lives.get(i) as [number, number];
    const blocking = placed
      .filter((p) => p.life[0] <= life[1] && life[0] <= p.life[1])
      .sort((a, b) => a.start - b.start);
    let start = 0;
    for (const p of blocking) if (p.start < start + bytes && start < p.end) start = p.end;
    placed.push({ start, end: start + bytes, life });
    addresses[i] = base + start;
    high = Math.max(high, start + bytes);
  }
  return high;
}
