import type { InputValue } from './frontends/input-values.js';
import type { ImageInputOptions } from './image-input.js';
import type { PassEvent } from './passes/pipeline.js';
import type { Calibration } from './quant/calibration.js';
import type { Target } from './runtime/abi.js';
import { usageError } from './support/errors.js';

export type { InputValue };

/** What the module computes with; `CompileOptions.precision` explains the values. */
export type Precision = 'int8' | 'fp32' | 'fake-quantized';

const TARGETS: readonly ResolvedOptions['target'][] = ['simd', 'relaxed', 'both'];
const PRECISIONS: readonly Precision[] = ['int8', 'fp32', 'fake-quantized'];

/** What `compile` can be told. Every field has a default; this file is the only place where defaults stand. */
export interface CompileOptions {
  /** Name of the emitted files, without extension. */
  readonly name?: string;
  /** Name of the source file, for error messages. */
  readonly file?: string;
  /** Op types that become int8, by Paddle or ONNX name; all that can by default. */
  readonly opsToQuantize?: readonly string[];
  /** Source ids of ops that stay in float. */
  readonly opIdsToSkip?: readonly number[];
  /**
   * int8: codes where possible. fp32: everything in float, without the model's fake quantization.
   * fake-quantized: everything in float, rounding where the model rounds (what a training framework computes).
   */
  readonly precision?: Precision;
  /** With fp32 only: false leaves normalization, biases, sums and activations ops of their own, as a baseline. */
  readonly fuse?: boolean;
  /** Op types of which every op has to be int8; compiling fails where one is not. */
  readonly requireInt8?: readonly string[];
  /** Int8 regions of fewer ops stay in float; 1 by default. */
  readonly minRegion?: number;
  /** Takes thresholds that the model states in attributes as scales, where no fake quantization gives one; true by default. */
  readonly inferScales?: boolean;
  /** Paddle: the name of the file with all parameters, where it is not the conventional one. */
  readonly paramsFile?: string;
  /** Instruction set, or both: the package then has a module for each, and the loader chooses. */
  readonly target?: Target | 'both';
  /**
   * With target relaxed: sums of real products may be fused, which is faster and not bit-stable; engines and CPUs differ
   * in the last bits. Integer arithmetic stays exact, but a real that is quantized afterwards may get another code.
   */
  readonly fastMath?: boolean;
  /** Size of a symbolic batch dimension; 1 by default. */
  readonly batch?: number;
  /** Shapes of inputs by name, for symbolic dimensions. */
  readonly inputShapes?: Readonly<Record<string, readonly number[]>>;
  /** Values of inputs that are known: these become constants, as shapes, axes and the like have to be. */
  readonly inputValues?: Readonly<Record<string, InputValue>>;
  /** Further shapes of the inputs: each gives an entry of its own, with the same weights. */
  readonly moreShapes?: readonly Readonly<Record<string, readonly number[]>>[];
  /**
   * Values of the source that become further outputs, behind the model's, under their names: `all` for every one that
   * the passes leave, without a change of what the module computes, or names, which are kept from being fused away.
   * A tap shows the value as it stands: codes with scale and zero point, or reals, rounded where the model rounds.
   */
  readonly taps?: readonly string[] | 'all';
  /** Runs the graph before and after every pass on random and boundary inputs, and fails where a pass changes numbers. */
  readonly verify?: boolean;
  /** Grids for a float model, which is compiled as if it carried them; `calibrate` makes them. */
  readonly calibration?: Calibration | null;
  /** Makes the .dot dump of every pass. */
  readonly debug?: boolean;
  /** Puts the module into the loader as base64. */
  readonly inline?: boolean;
  /** Adds NAME.pool.mjs and NAME.worker.mjs: `createPool(n)` runs an instance in each of n workers. */
  readonly pool?: boolean;
  /** The module can be run by several threads on one memory, which it imports; the loader then starts them. */
  readonly threads?: boolean;
  /** Exports `step(i)`, so that the loader can time every layer. */
  readonly profile?: boolean;
  /** An input that takes RGBA bytes: the module resizes, normalizes and quantizes them itself. */
  readonly imageInput?: ImageInputOptions;
  /** Names of the elements of the first output, in order; `net.classify` gives them. */
  readonly labels?: readonly string[];
  /** Called after every pass. */
  readonly onPass?: (event: PassEvent) => void;
}

/** The options with every default filled in. */
export type ResolvedOptions = Required<
  Omit<CompileOptions, 'onPass' | 'opsToQuantize' | 'batch' | 'paramsFile' | 'imageInput' | 'labels'>
> & {
  readonly imageInput: ImageInputOptions | null;
  readonly labels: readonly string[] | null;
  /** null: 1 where the model leaves it open. */
  readonly batch: number | null;
  readonly paramsFile: string | null;
  readonly opsToQuantize: readonly string[] | null;
  readonly onPass: (event: PassEvent) => void;
};

const DEFAULTS: ResolvedOptions = {
  name: 'model',
  file: 'model',
  opsToQuantize: null,
  opIdsToSkip: [],
  requireInt8: [],
  minRegion: 1,
  precision: 'int8',
  inferScales: true,
  paramsFile: null,
  fuse: true,
  target: 'simd',
  fastMath: false,
  batch: null,
  inputShapes: {},
  inputValues: {},
  moreShapes: [],
  taps: [],
  verify: false,
  calibration: null,
  debug: false,
  inline: false,
  pool: false,
  threads: false,
  profile: false,
  imageInput: null,
  labels: null,
  onPass: () => {},
};

/** Fills in the defaults and checks the values. Throws a usage error. */
export function resolveOptions(options: CompileOptions): ResolvedOptions {
  const given = Object.fromEntries(Object.entries(options).filter(([, v]) => v !== undefined));
  const resolved: ResolvedOptions = { ...DEFAULTS, ...given };
  if (resolved.batch !== null && (!Number.isInteger(resolved.batch) || resolved.batch < 1))
    throw usageError(`batch must be a positive integer, not ${resolved.batch}`);
  if (!TARGETS.includes(resolved.target))
    throw usageError(`unknown target "${String(resolved.target)}"`, { remedy: `Use ${TARGETS.join(', ')}.` });
  if (resolved.fastMath && resolved.target !== 'relaxed')
    throw usageError('fast math needs the multiply-add of relaxed SIMD', { remedy: 'Use target relaxed with it.' });
  const bad = resolved.opIdsToSkip.find((id) => !Number.isInteger(id) || id < 0);
  if (bad !== undefined) throw usageError(`op ids are integers from 0, not ${bad}`);
  if (!PRECISIONS.includes(resolved.precision))
    throw usageError(`unknown precision "${resolved.precision}"`, { remedy: `Use ${PRECISIONS.join(', ')}.` });
  if (resolved.precision !== 'int8' && (resolved.opsToQuantize || resolved.opIdsToSkip.length > 0))
    throw usageError(`${resolved.precision} compiles everything in float; no op types or ids can be chosen`);
  if (!resolved.fuse && resolved.precision !== 'fp32')
    throw usageError(`${resolved.precision} needs fusions: only fp32 can do without`);
  if (!Number.isInteger(resolved.minRegion) || resolved.minRegion < 1)
    throw usageError(`the least size of an int8 region must be a positive integer, not ${resolved.minRegion}`);
  if (resolved.precision !== 'int8' && resolved.requireInt8.length > 0)
    throw usageError(`${resolved.precision} compiles everything in float; no op can be required to be int8`);
  if (resolved.threads && resolved.profile)
    throw usageError('a profile is of one thread: steps have no threads to share them with', {
      remedy: 'Profile a build without threads.',
    });
  if (resolved.moreShapes.length > 0 && (resolved.profile || resolved.imageInput))
    throw usageError('a profile or pictures as input go with one shape of the inputs');
  for (const [name, shape] of [resolved.inputShapes, ...resolved.moreShapes].flatMap((s) => Object.entries(s)))
    if (shape.length === 0 || shape.some((d) => !Number.isInteger(d) || d < 1))
      throw usageError(`shape of input "${name}" must be positive integers, not [${shape}]`);
  return resolved;
}
