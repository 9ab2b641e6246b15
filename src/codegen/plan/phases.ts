import { eraseKernel, type Split } from '../kernel.js';
import { type FillParams, fillKernel } from '../kernels/fill.js';
import { type Call, entriesOf, isRef, type Plan } from './plan.js';

/** Calls that one thread makes, one after the other. */
export type Task = readonly Call[];

/** Tasks that any threads compute at the same time, in any order. The next phase begins when all are done. */
export type Phase = readonly Task[];

/** Pieces below this many multiply-accumulates (about 8 microseconds) cost more to hand out than they save. */
const PIECE_WORK = 250_000;
/** The most pieces of a call: a multiple of most numbers of threads, and few enough to be long. */
const MOST_PIECES = 24;

const splitOf = ({ kernel, params }: Call): Split | undefined => kernel.split?.(params);

/** How many units each piece has: as many pieces as wanted, or somewhat fewer where they are then equal. */
function unitsPerPiece(units: number, wanted: number): number {
  for (let pieces = wanted; 3 * pieces > 2 * wanted; pieces--) if (units % pieces === 0) return units / pieces;
  return Math.ceil(units / wanted);
}

/** A call as pieces that write different elements. */
function piecesOf(call: Call, split: Split, most: number, pieceWork: number): Call[] {
  const wanted = Math.min(most, split.units, Math.floor(split.work / pieceWork));
  if (wanted < 2) return [call];
  const size = unitsPerPiece(split.units, wanted);
  return Array.from({ length: Math.ceil(split.units / size) }, (_, i) => {
    const first = i * size;
    const { params, offsets } = split.part(first, Math.min(size, split.units - first));
    const args = call.args.map((arg, n) => {
      const bytes = offsets[n] ?? 0;
      return bytes !== 0 && isRef(arg) ? { ...arg, offset: arg.offset + bytes } : arg;
    });
    return { ...call, params, args };
  });
}

/** Tasks that do not depend on each other as those of a phase; one where they are too short to share. */
function phaseOf(tasks: readonly Task[], pieceWork: number): Phase {
  const most = Math.floor(MOST_PIECES / tasks.length);
  const split = tasks.flatMap((task): Task[] => {
    const [call] = task as [Call];
    const how = task.length === 1 ? splitOf(call) : undefined;
    return how ? piecesOf(call, how, most, pieceWork).map((piece) => [piece]) : [task];
  });
  const work = tasks.flat().reduce((sum, call) => sum + (splitOf(call)?.work ?? 0), 0);
  return work < 2 * pieceWork ? [tasks.flat()] : split;
}

/** Cuts calls where the node or the task changes; calls without a task stand alone. */
function independent(calls: readonly Call[]): Task[][] {
  const groups: Call[][][] = [];
  for (const call of calls) {
    const group = groups.at(-1);
    const last = group?.at(-1)?.[0];
    if (!group || call.task === undefined || last?.task === undefined || call.node !== last.node) groups.push([[call]]);
    else if (call.task === last.task) group.at(-1)?.push(call);
    else group.push([call]);
  }
  return groups;
}

const isHalo = ({ kernel, params }: Call): boolean =>
  kernel === eraseKernel(fillKernel) && (params as FillParams).kind === 'halo';

/**
 * The calls of a run as phases, for several threads. Tasks and pieces of one call share a phase; the halo of a buffer is
 * zeroed beside the call that follows, which at most writes inside of it. Other calls wait for those before them.
 */
export function phasesOf(calls: readonly Call[], pieceWork = PIECE_WORK): Phase[] {
  const phases: Phase[] = [];
  let halos: Call[] = [];
  let serial: Call[] = [];
  const close = (): void => {
    if (serial.length > 0) phases.push([serial]);
    serial = [];
  };
  for (const tasks of independent(calls)) {
    const [[first]] = tasks as [[Call]];
    if (isHalo(first)) {
      halos.push(first);
      continue;
    }
    const phase = phaseOf(tasks, pieceWork);
    if (phase.length > 1) {
      close();
      phases.push([...halos.map((call) => [call]), ...phase]);
    } else serial.push(...halos, ...(phase[0] as Task));
    halos = [];
  }
  serial.push(...halos);
  close();
  return phases;
}

/** The phases of each entry of a plan. */
export const scheduleOf = (plan: Plan): readonly (readonly Phase[])[] =>
  entriesOf(plan).map(({ start, end }) => phasesOf(plan.calls.slice(start, end)));
