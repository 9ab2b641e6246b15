import type { Arithmetic, OpInfo } from '../runtime/abi.js';
import type { Profile, StepTime } from '../runtime/net.js';
import type { BenchSession } from './bench.js';
import { bestKernel, PROBE_PER_CYCLE } from './best-kernels.js';
import { greatest, type Peaks } from './probe.js';

/** What a layer computes with: codes, reals, or the way between them (and in and out of the module). */
export type LayerKind = 'int8' | 'float' | 'boundary';

/** How a convolution or product compares with the best kernel that is legal for it. */
export interface Verdict {
  /** The best kernel's arithmetic and its multiply-accumulates per cycle. */
  readonly best: Arithmetic;
  readonly bestPerCycle: number;
  readonly perCycle: number;
  /** perCycle by bestPerCycle. */
  readonly ratio: number;
  readonly fast: boolean;
  /** Why it falls short, as far as the figures tell. */
  readonly reasons: readonly string[];
}

/** A layer with its time and what it makes of the machine. */
export interface Layer extends StepTime {
  readonly kind: LayerKind;
  /** Of the sum over all layers. */
  readonly share: number;
  /** 10^9 multiply-accumulates per second of the plain definition. */
  readonly gmacs: number;
  /** 10^9 bytes per second, every operand and result once. */
  readonly gbytes: number;
  /**
   * The time that the machine's best speed of the kernel's instructions and of copying would need, whichever is longer, by
   * the time taken: 1 is as fast as this machine can.
   */
  readonly peakShare: number;
  readonly verdict?: Verdict;
}

/** The layers of a network. */
export interface LayerReport {
  readonly run: number;
  readonly sum: number;
  readonly rounds: number;
  readonly calm: number;
  readonly peaks: Peaks;
  /** How much of its best speed the core had while the profile was taken. */
  readonly core: number;
  readonly layers: readonly Layer[];
  /** Shares of the time by kind; they sum to 1. */
  readonly shares: Readonly<Record<LayerKind, number>>;
}

/** Layers with less of the time are not judged. */
export const JUDGED_SHARE = 0.01;
/** A layer is fast that reaches this share of the best legal kernel. */
export const FAST_RATIO = 0.85;
/** Bound by memory is who reaches this share of what a copy does. */
const MEMORY_BOUND = 0.6;
/** Products that Winograd F(2x2, 3x3) does for one of the plain definition. */
const WINOGRAD_PRODUCTS = 16 / 36;
const SHORT_MS = 0.02;
/** More than the second cache level of most cores. */
const CACHE_BYTES = 1 << 20;

const CONVERSIONS = new Set(['quantize', 'dequantize', 'requantize', 'border']);

function kindOf(step: StepTime, ops: ReadonlyMap<number, OpInfo>): LayerKind {
  if (CONVERSIONS.has(step.type)) return 'boundary';
  return ops.get(step.ops[0] ?? -1)?.int8 ? 'int8' : 'float';
}

/** The arithmetic of a step's kernels, by their names. */
export function arithmeticOf({ kernels, product }: StepTime): Arithmetic {
  const kinds = ['gemm', 'depthwise', 'winograd', 'matmul'];
  const main = kernels.find((name) => kinds.some((kind) => name.includes(`-${kind}`))) ?? kernels[0] ?? '';
  const winograd = kernels.find((name) => name.includes('-winograd-'));
  if (winograd) return winograd.startsWith('f32') ? 'winograd of reals' : 'winograd';
  if (product ? product.allows.includes('reals') : main.startsWith('f32')) return 'reals';
  return main.endsWith('-relaxed') ? 'bytes' : 'pairs';
}

/** Milliseconds that the machine's best speed needs for a step. */
function attainable(step: StepTime, peaks: Peaks): number {
  const arithmetic = arithmeticOf(step);
  const winograd = arithmetic.startsWith('winograd');
  const instructions = arithmetic === 'winograd' ? 'pairs' : arithmetic === 'winograd of reals' ? 'reals' : arithmetic;
  const peak = peaks[instructions] || peaks.pairs;
  const products = winograd ? step.macs * WINOGRAD_PRODUCTS : step.macs;
  return Math.max(products / peak, step.bytes / peaks.stream) / 1e6;
}

/** What the bytes of a step say: it copies as fast as can be, or works on more than the second cache level holds. */
function memoryReason({ bytes, product }: StepTime, gbytes: number, peaks: Peaks): string[] {
  if (gbytes > MEMORY_BOUND * peaks.stream)
    return [`bound by memory: ${gbytes.toFixed(0)} of ${peaks.stream.toFixed(0)} GB/s`];
  if (bytes < CACHE_BYTES) return [];
  const size = `${(bytes / 1e6).toFixed(1)} MB, more than the second cache level holds, at ${gbytes.toFixed(1)} GB/s`;
  const single = product?.pixels.every((n) => n === 1);
  return [single ? `reads weights once per run: ${size}` : `works on ${size}`];
}

/** What the kernels do with every result besides rounding it, by their names. */
function epilogues(kernels: readonly string[]): string[] {
  const found = kernels.flatMap((name) => /-(?:requant|float)-(.+)-(?:simd|relaxed)$/.exec(name)?.[1] ?? []);
  return found
    .filter((name) => name !== 'relu')
    .map((name) => `every result also takes ${name.replaceAll('-', ' and ')}`);
}

function reasonsOf(step: StepTime, best: Arithmetic, gbytes: number, peaks: Peaks): string[] {
  const own = arithmeticOf(step);
  const product = step.product as NonNullable<StepTime['product']>;
  const perGroup = product.columns / product.groups;
  const others = step.kernels.filter((name) => /-(copy|fill)|-map-/.test(name));
  return [
    ...(own !== best ? [`computes with ${own} where ${best} is legal`] : []),
    ...(product.allows.some((a) => a.startsWith('winograd')) && !own.startsWith('winograd')
      ? ['no Winograd: its sums or weights do not fit, or the direct kernel is faster']
      : []),
    ...memoryReason(step, gbytes, peaks),
    ...epilogues(step.kernels),
    ...(product.groups > 1 ? [`${product.groups} groups of ${perGroup} columns, one call each`] : []),
    ...(perGroup % 8 > 0 && perGroup < 64 ? [`${perGroup} columns in tiles of 8`] : []),
    ...(step.milliseconds < SHORT_MS ? ['short: calls and tails weigh'] : []),
    ...(others.length > 0 ? [`includes ${others.join(', ')}`] : []),
  ];
}

function judge(step: StepTime, gbytes: number, peaks: Peaks, core: number): Verdict | undefined {
  const best = step.product && step.product.inner > 0 ? bestKernel(step.product) : undefined;
  if (!best) return undefined;
  const cyclesPerMs = ((core * peaks.probe) / PROBE_PER_CYCLE) * 1e6;
  const perCycle = step.macs / (step.milliseconds * cyclesPerMs);
  const ratio = perCycle / best.perCycle;
  const fast = ratio >= FAST_RATIO;
  const reasons = fast ? [] : reasonsOf(step, best.arithmetic, gbytes, peaks);
  return {
    best: best.arithmetic,
    bestPerCycle: best.perCycle,
    perCycle,
    ratio,
    fast,
    reasons:
      fast || reasons.length > 0 ? reasons : ['nothing in the figures explains it: tile and loads of this shape'],
  };
}

/**
 * The share of the core that the times of a profile had, at least `core`, which the probe saw around it: calm passes may have
 * had more, since a core that is shared in turns is free in between. No layer beats the best kernel for its shape, which
 * bounds the share from below.
 */
function shareOfCore(steps: readonly StepTime[], peaks: Peaks, core: number): number {
  const ratios = steps.map((step) => judge(step, step.bytes / step.milliseconds / 1e6, peaks, 1)?.ratio ?? 0);
  return core < 1 ? Math.min(1, Math.max(core, ...ratios)) : 1;
}

/**
 * What the times of a profile mean on this machine. `ops` tells which layers are int8; `peaks` were measured in the same
 * process, and `seen` is the share of the best probe that the core reached meanwhile.
 */
export function analyzeLayers(
  { run, sum, rounds, calm, steps }: Profile,
  ops: readonly OpInfo[],
  peaks: Peaks,
  seen = 1,
): LayerReport {
  const core = shareOfCore(
    steps.filter((step) => step.milliseconds / sum > JUDGED_SHARE),
    peaks,
    seen,
  );
  const byId = new Map(ops.map((op) => [op.id, op]));
  const layers = steps.map((step): Layer => {
    const share = step.milliseconds / sum;
    const gbytes = step.bytes / step.milliseconds / 1e6;
    const verdict = share > JUDGED_SHARE ? judge(step, gbytes, peaks, core) : undefined;
    return {
      ...step,
      kind: kindOf(step, byId),
      share,
      gmacs: step.macs / step.milliseconds / 1e6,
      gbytes,
      peakShare: attainable(step, peaks) / step.milliseconds,
      ...(verdict ? { verdict } : {}),
    };
  });
  const shareOf = (kind: LayerKind): number =>
    layers.reduce((total, layer) => total + (layer.kind === kind ? layer.share : 0), 0);
  const shares = { int8: shareOf('int8'), float: shareOf('float'), boundary: shareOf('boundary') };
  return { run, sum, rounds, calm, peaks, core, layers, shares };
}

/** A profile takes about this long, so that short networks find a moment in which nothing disturbs them; with limits. */
const PROFILE_MS = 1000;
const [LEAST_ROUNDS, MOST_ROUNDS] = [20, 3000];
/** Attempts at a profile on a busy machine. */
const ATTEMPTS = 4;
/** A profile is calm with this share of the best probe. */
export const CALM_CORE = 0.9;

/** Profiles a loaded network, again where the machine is busy; the calmest attempt counts. */
export async function timeLayers(session: BenchSession, ops: readonly OpInfo[]): Promise<LayerReport> {
  const attempts: { profile: Profile; mean: number }[] = [];
  let peaks = await session.peaks();
  const { run, sum } = await session.profile();
  const rounds = Math.min(MOST_ROUNDS, Math.max(LEAST_ROUNDS, Math.ceil(PROFILE_MS / (run + sum))));
  for (let i = 0; i < ATTEMPTS; i++) {
    const before = await session.probe();
    const profile = await session.profile(rounds);
    const after = await session.probe();
    peaks = greatest(peaks, { ...peaks, probe: Math.max(before.best, after.best) });
    attempts.push({ profile, mean: Math.min(before.mean, after.mean) });
    if (attempts.some(({ mean }) => mean >= CALM_CORE * peaks.probe)) break;
  }
  peaks = greatest(peaks, await session.peaks());
  const { profile, mean } = attempts.reduce((a, b) => (b.mean > a.mean ? b : a));
  return analyzeLayers(profile, ops, peaks, Math.min(1, mean / peaks.probe));
}
