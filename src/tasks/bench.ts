import type { Target } from '../runtime/abi.js';
import type { Profile } from '../runtime/net.js';
import type { Peaks, ProbeSpeed } from './probe.js';
import { median, type Summary, summarize } from './statistics.js';

/** A cold start, in milliseconds: reading, compiling, instantiating; then the first run. */
export interface Loaded {
  readonly load: number;
  readonly firstRun: number;
  readonly outputs: readonly OutputDigest[];
  /** qc with `revectorize`: whether the engine did it and its results passed the check. */
  readonly revectorized?: boolean;
  /** A peer that runs without its optimizations: why. */
  readonly unoptimized?: string;
}

/** An output of the first run; bytes in base64 where there are few, so that results can be compared. */
export interface OutputDigest {
  readonly name: string;
  readonly fnv1a: string;
  readonly floats?: readonly number[];
}

/** Single runs, in milliseconds, and the state of the machine around them. */
export interface Round {
  readonly times: readonly number[];
  /** CPU time by wall time while measuring: well below 1 where another process had the core. */
  readonly cpuShare: number;
  readonly probe: readonly [before: ProbeSpeed, after: ProbeSpeed];
}

/** What an engine says of itself. */
export interface EngineAbout {
  readonly node: string;
  readonly v8: string;
  readonly flags: readonly string[];
  readonly relaxedSimd: boolean;
  /** Version of the peer's package. */
  readonly package?: string;
}

/** What the measurements ran on. */
export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly platform: string;
  readonly memory: number;
  /** Instruction sets that matter for these kernels; empty where the system does not tell. */
  readonly features: readonly string[];
}

/** What is measured: a build of a model, a module, or a peer on the model. */
export interface BenchCase {
  /** The subject as the user named it. */
  readonly subject: string;
  /** What of it, such as `int8 relaxed`, `fp32 simd` or `onnxruntime-web`. */
  readonly name: string;
  readonly kind: 'int8' | 'fp32' | 'module' | 'peer';
  readonly target?: Target;
  /** Multiply-accumulate operations of a run. */
  readonly macs?: number;
  /** The file that is shipped, as it is and compressed; the memory of an instance. In bytes. */
  readonly size?: number;
  readonly gzip?: number;
  readonly instance?: number;
}

/** A process that measures one case; one request at a time. */
export interface BenchSession {
  about(): Promise<EngineAbout>;
  load(): Promise<Loaded>;
  /** Runs until the best time of blocks of so many milliseconds stays. */
  warmUp(block: number): Promise<{ runs: number; milliseconds: number }>;
  measure(milliseconds: number): Promise<Round>;
  profile(rounds?: number): Promise<Profile>;
  peaks(): Promise<Peaks>;
  /** The speed of the core at this moment. */
  probe(): Promise<ProbeSpeed>;
  memory(): Promise<number>;
  close(): void;
}

export interface BenchOptions {
  /** Rounds in which every case is measured once. */
  readonly rounds: number;
  /** Milliseconds of measuring per case and round. */
  readonly milliseconds: number;
  /** Fresh processes whose cold start is measured, per case. */
  readonly coldStarts: number;
  /** A round counts where probe and CPU share reach this share of the best. */
  readonly threshold: number;
  /** How often a disturbed measurement is repeated within its round. */
  readonly retries: number;
}

/** All measurements of a case; times in milliseconds, memory in bytes. */
export interface CaseResult<C extends BenchCase = BenchCase> {
  readonly case: C;
  readonly about: EngineAbout;
  readonly outputs: readonly OutputDigest[];
  readonly revectorized?: boolean;
  readonly unoptimized?: string;
  /** Medians over the cold starts. */
  readonly load: number;
  readonly firstRun: number;
  readonly warmUp: { readonly runs: number; readonly milliseconds: number };
  readonly memory: number;
  readonly rounds: readonly Round[];
}

/** A case that could not be measured. */
export interface FailedCase<C extends BenchCase = BenchCase> {
  readonly case: C;
  readonly reason: string;
}

/** What a benchmark found. */
export interface BenchResult<C extends BenchCase = BenchCase> {
  readonly options: BenchOptions;
  /** The best probe of all, in 10^9 multiplications per second. */
  readonly peak: number;
  readonly results: readonly CaseResult<C>[];
  readonly failed: readonly FailedCase<C>[];
}

/** The state of the machine around a measurement. */
export type RoundState = Pick<Round, 'cpuShare' | 'probe'>;

/** The best probe of some rounds. */
export const bestProbe = (rounds: readonly RoundState[]): number =>
  Math.max(...rounds.flatMap(({ probe }) => probe.map(({ best }) => best)));

const slowest = ({ probe }: RoundState): number => Math.min(...probe.map(({ mean }) => mean));

/** Whether the machine was at its best around and during a measurement, up to the threshold. */
export const isCalm = (round: RoundState, peak: number, threshold: number): boolean =>
  slowest(round) >= threshold * peak && round.cpuShare >= threshold;

/** The speed that a measurement had of the core, for comparison with others. */
export const calmness = (round: RoundState): number => round.cpuShare * slowest(round);

/** Longest block in which warming up is judged, in milliseconds. */
const WARM_BLOCK = 300;

interface Running<C extends BenchCase> {
  readonly case: C;
  readonly session: BenchSession;
  readonly start: Omit<CaseResult<C>, 'case' | 'memory' | 'rounds'>;
  readonly rounds: Round[];
}

/** Cold starts in fresh processes; the last one stays and is warmed up. */
async function start<C extends BenchCase>(
  c: C,
  open: (c: C) => Promise<BenchSession>,
  options: BenchOptions,
): Promise<Running<C>> {
  const starts: Loaded[] = [];
  for (let i = 1; ; i++) {
    const session = await open(c);
    try {
      const loaded = await session.load();
      starts.push(loaded);
      if (i < options.coldStarts) {
        session.close();
        continue;
      }
      const { outputs, revectorized, unoptimized } = loaded;
      const figures = {
        about: await session.about(),
        outputs,
        load: median(starts.map((s) => s.load)),
        firstRun: median(starts.map((s) => s.firstRun)),
        warmUp: await session.warmUp(Math.min(WARM_BLOCK, options.milliseconds)),
        ...(revectorized === undefined ? {} : { revectorized }),
        ...(unoptimized === undefined ? {} : { unoptimized }),
      };
      return { case: c, session, start: figures, rounds: [] };
    } catch (error) {
      session.close();
      throw error;
    }
  }
}

/** One measurement, repeated where the machine was disturbed; the calmest counts. */
async function measure<C extends BenchCase>(
  one: Running<C>,
  known: readonly Round[],
  options: BenchOptions,
): Promise<Round> {
  const attempts: Round[] = [];
  for (let attempt = 0; attempt <= options.retries; attempt++) {
    const round = await one.session.measure(options.milliseconds);
    attempts.push(round);
    if (isCalm(round, bestProbe([...known, ...attempts]), options.threshold)) return round;
  }
  return attempts.reduce((a, b) => (calmness(b) > calmness(a) ? b : a));
}

/**
 * Measures cases in turns: every case in a process of its own, warmed up first, then each once per round, so that ratios
 * within a round hold whatever the machine does meanwhile. A peer that fails is left out and told; any other failure is
 * the caller's.
 */
export async function runBench<C extends BenchCase>(
  cases: readonly C[],
  open: (c: C) => Promise<BenchSession>,
  options: BenchOptions,
  say: (text: string) => void = () => {},
): Promise<BenchResult<C>> {
  const running: Running<C>[] = [];
  const failed: FailedCase<C>[] = [];
  const label = (c: C): string => `${c.subject}: ${c.name}`;
  try {
    for (const c of cases) {
      say(`starting ${label(c)}`);
      try {
        running.push(await start(c, open, options));
      } catch (error) {
        if (c.kind !== 'peer') throw error;
        failed.push({ case: c, reason: (error as Error).message });
      }
    }
    for (let round = 1; round <= options.rounds; round++)
      for (const one of running) {
        say(`round ${round} of ${options.rounds}: ${label(one.case)}`);
        one.rounds.push(
          await measure(
            one,
            running.flatMap((r) => r.rounds),
            options,
          ),
        );
      }
    const results: CaseResult<C>[] = [];
    for (const { case: c, session, start: figures, rounds } of running)
      results.push({ case: c, ...figures, memory: await session.memory(), rounds });
    return { options, peak: bestProbe(results.flatMap((r) => r.rounds)), results, failed };
  } finally {
    for (const { session } of running) session.close();
  }
}

/** What stands behind the name of a peer that runs without its optimizations. */
export const UNOPTIMIZED = ' (unoptimized)';

/** The name of a case with what it could not have: 256-bit code, optimizations. */
export const nameOf = ({ case: { name }, revectorized, unoptimized }: CaseResult): string =>
  `${name}${revectorized === false ? ' (not possible here)' : ''}${unoptimized === undefined ? '' : UNOPTIMIZED}`;

/** The rounds of a case in which the machine was calm; all of them where none was. */
export function calmRounds({ rounds }: CaseResult, { peak, options }: BenchResult): { used: Round[]; calm: number } {
  const calm = rounds.filter((round) => isCalm(round, peak, options.threshold));
  return { used: calm.length > 0 ? calm : [...rounds], calm: calm.length };
}

/** Times of single runs over the calm rounds. */
export const latencyOf = (result: CaseResult, bench: BenchResult): Summary =>
  summarize(calmRounds(result, bench).used.flatMap((round) => round.times));

/**
 * How many times as fast `result` is as `base`: the median over the rounds in which the machine was calm for both (over
 * all where there is none) of the ratio of their medians.
 */
export function speedup(result: CaseResult, base: CaseResult, { peak, options }: BenchResult): number {
  const both = result.rounds.flatMap((own, i) => {
    const other = base.rounds[i];
    if (!other) return [];
    const calm = isCalm(own, peak, options.threshold) && isCalm(other, peak, options.threshold);
    return [{ calm, ratio: median(other.times) / median(own.times) }];
  });
  const calm = both.filter((round) => round.calm);
  return median((calm.length > 0 ? calm : both).map(({ ratio }) => ratio));
}

/** What the others of its subject are compared with: FP32 where there is one, else the first of all. */
export function baseOf(result: CaseResult, { results }: BenchResult): CaseResult {
  const own = results.filter((r) => r.case.subject === result.case.subject);
  return own.find((r) => r.case.kind === 'fp32') ?? (results[0] as CaseResult);
}

/**
 * The greatest difference of the outputs from those of another case, by their greatest value: 0 where all bytes are equal,
 * undefined where the outputs were too large to be kept or are not floats.
 */
export function differenceOf(result: CaseResult, base: CaseResult): number | undefined {
  let [most, difference] = [0, 0];
  for (const { name, fnv1a, floats } of base.outputs) {
    const own = result.outputs.find((output) => output.name === name);
    if (own?.fnv1a === fnv1a) continue;
    if (!own?.floats || !floats || own.floats.length !== floats.length) return undefined;
    for (const [i, expected] of floats.entries()) {
      difference = Math.max(difference, Math.abs((own.floats[i] as number) - expected));
      most = Math.max(most, Math.abs(expected));
    }
  }
  return difference / (most || 1);
}

/** INT8 builds of a subject whose outputs are not those of its first one, which would break the promise of equal bytes. */
export function unequalBuilds({
  results,
}: BenchResult): { readonly subject: string; readonly names: readonly string[] }[] {
  const int8 = results.filter((r) => r.case.kind === 'int8');
  return [...new Set(int8.map((r) => r.case.subject))].flatMap((subject) => {
    const [first, ...others] = int8.filter((r) => r.case.subject === subject);
    const key = (r: CaseResult | undefined): string =>
      JSON.stringify(r?.outputs.map(({ name, fnv1a }) => [name, fnv1a]));
    const odd = others.filter((r) => key(r) !== key(first));
    return odd.length > 0 ? [{ subject, names: [first as CaseResult, ...odd].map((r) => r.case.name) }] : [];
  });
}

/** A benchmark for programs to read: figures, without what only this process needs. */
export function published({ results, failed, ...rest }: BenchResult): object {
  const described = ({ subject, name, kind, target, macs, size, gzip, instance }: BenchCase): BenchCase => ({
    subject,
    name,
    kind,
    ...(target ? { target } : {}),
    ...(macs === undefined ? {} : { macs }),
    ...(size === undefined ? {} : { size }),
    ...(gzip === undefined ? {} : { gzip }),
    ...(instance === undefined ? {} : { instance }),
  });
  const bench = { results, failed, ...rest };
  return {
    ...rest,
    results: results.map((result) => ({
      ...result,
      case: described(result.case),
      latency: latencyOf(result, bench),
      calm: calmRounds(result, bench).calm,
      base: baseOf(result, bench).case.name,
      speedup: speedup(result, baseOf(result, bench), bench),
      difference: differenceOf(result, baseOf(result, bench)),
      outputs: result.outputs.map(({ name, fnv1a }) => ({ name, fnv1a })),
    })),
    failed: failed.map(({ case: c, reason }) => ({ case: described(c), reason })),
  };
}
