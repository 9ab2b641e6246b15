import type { Graph } from '../ir/graph.js';
import type { OpTable } from '../ir/op.js';
import type { Patch } from '../ir/patch.js';
import type { Calibration } from '../quant/calibration.js';

/** What passes may know besides the graph. */
export interface PassContext {
  readonly ops: OpTable;
  /** int8; or everything in float, without (fp32) or with (fake-quantized) the model's rounding. */
  readonly precision: 'int8' | 'fp32' | 'fake-quantized';
  /** Paddle names of the op types that become int8; null for all that can. */
  readonly opsToQuantize: ReadonlySet<string> | null;
  /** Source ids that stay in float. */
  readonly opIdsToSkip: readonly number[];
  /** Int8 regions of fewer nodes stay in float. */
  readonly minRegion: number;
  /** Whether thresholds in the model's attributes become scales. */
  readonly inferScales: boolean;
  /** Runs the graph before and after each pass and compares (validate.ts); false by default. */
  readonly validate?: boolean;
  /** Grids for a float network, or null where the model's own are all there are. */
  readonly calibration: Calibration | null;
  /** Tells the user something worth knowing. */
  note(text: string): void;
}

/** One step of the pipeline: rewrites the graph through a patch, which counts and checks the changes. */
export interface Pass {
  readonly name: string;
  /** One line for people. */
  readonly doc: string;
  /**
   * What the pass may do to the numbers, which --verify checks: `exact` is equality bit by bit; `close` is another order
   * of float32 roundings: reals within 1e-5 of the tensor's greatest magnitude, elements on a grid by one quantum where the
   * real value is as near to a tie between two codes; `rounds` rounds values that the model does not round.
   */
  readonly numbers: 'exact' | 'close' | 'rounds';
  run(graph: Graph, patch: Patch, context: PassContext): void;
}
