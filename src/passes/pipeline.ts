import { toDot } from '../ir/dot.js';
import type { Graph } from '../ir/graph.js';
import { Patch } from '../ir/patch.js';
import { type Snapshot, snapshotOf } from '../ir/snapshot.js';
import { verify } from '../ir/verify.js';
import { analyzeRanges } from './analyze-ranges.js';
import { assignScales } from './assign-scales.js';
import { canonicalize } from './canonicalize.js';
import { canonicalizeNorms } from './canonicalize-norms.js';
import { collectScales } from './collect-scales.js';
import { eliminateDead } from './eliminate-dead.js';
import { equalizeLayers } from './equalize-layers.js';
import { foldBatchNorm } from './fold-batch-norm.js';
import { foldConstants } from './fold-constants.js';
import { fuseActivation } from './fuse-activation.js';
import { fuseBias } from './fuse-bias.js';
import { fuseConvAdd } from './fuse-conv-add.js';
import { inferScales } from './infer-scales.js';
import { inferShapes } from './infer-shapes.js';
import { insertQuantize } from './insert-quantize.js';
import { partition } from './partition.js';
import type { Pass, PassContext } from './pass.js';
import { propagateScales } from './propagate-scales.js';
import { quantizePlacement } from './quantize-placement.js';
import { squashQuantize } from './squash-quantize.js';
import { stripFakeQuant } from './strip-fake-quant.js';
import { Validation } from './validate.js';

/** The passes that bring a network into its final form, with the reason for each place. */
const FUSION: readonly Pass[] = [
  inferShapes, // everything after relies on static shapes
  foldConstants, // fewer nodes to look at; shapes computed by the model are constants from here on
  eliminateDead, // what importers left behind must not count as a reader
  canonicalize, // one spelling per idea, so that later passes match one form
  collectScales, // grids go into types while the quantize ops that carry them are still there
  stripFakeQuant, // only now can convolutions and activations see each other
  canonicalize, // forms that quantize ops had kept apart
  fuseBias, // a bias in front of a normalization would hide the convolution from it
  foldBatchNorm, // makes biases, and what was added behind it is one with them
  canonicalizeNorms, // those that no convolution took
  fuseBias, // again, before residuals: an added constant is a bias, not a residual
  fuseConvAdd, // before activations: conv + add + relu is one node
  fuseActivation, // last of the fusions: the activation follows the sum
];

/** The passes that decide what is int8 and make it so. */
const PLACEMENT: readonly Pass[] = [
  inferScales, // what the model observed goes before what is propagated; inside of fused nodes it is gone
  propagateScales, // fused nodes have their final outputs; placement needs every grid
  inferScales, // through factors and averages that propagation reached
  propagateScales, // and on from there
  quantizePlacement, // decides on the fused nodes, which are what users name
  insertQuantize, // makes the decision explicit in types
  squashQuantize, // removes what met at the borders
  eliminateDead, // constants and dequantizes that nobody reads any more
  analyzeRanges, // on the final nodes: the planner chooses storages and kernels by it
  partition, // numbers the int8 regions for the reports
];

/** The passes of a model that carries its scales, in order. */
export const PIPELINE: readonly Pass[] = [...FUSION, ...PLACEMENT];

const FUSIONS: ReadonlySet<Pass> = new Set([foldBatchNorm, fuseBias, fuseConvAdd, fuseActivation]);

const unfused = (passes: readonly Pass[]): readonly Pass[] => passes.filter((pass) => !FUSIONS.has(pass));

/** The passes without those that join ops: every op computes by itself. */
export const UNFUSED_PIPELINE: readonly Pass[] = unfused(PIPELINE);

/** The passes that make of a float network what calibration looks at and gives scales to. */
export function calibratedPasses({ calibration }: PassContext): readonly Pass[] {
  if (!calibration) return FUSION;
  return calibration.equalized ? [...FUSION, equalizeLayers, assignScales] : [...FUSION, assignScales];
}

/** All passes of a compilation: with a calibration, its scales are assigned once the fused nodes are known, equalized where it says so. */
export function passesFor(context: PassContext, fuse = true): readonly Pass[] {
  const passes = [...calibratedPasses(context), ...PLACEMENT];
  return fuse ? passes : unfused(passes);
}

/** What the driver hears after each pass. */
export interface PassEvent {
  /** Number of the pass, from 1. */
  readonly index: number;
  readonly name: string;
  readonly changes: number;
  readonly milliseconds: number;
  /** What the pass does, in one line. */
  readonly doc: string;
  /** The graph after the pass; made on request, while the pipeline waits. */
  snapshot(): Snapshot;
  /** The same as Graphviz text. */
  dot(): string;
}

/** The name of a dump: `NN_<pass name with underscores>.dot`. */
export const dumpName = (event: PassEvent): string =>
  `${String(event.index).padStart(2, '0')}_${event.name.replaceAll('-', '_')}.dot`;

/**
 * Runs the passes in order on a graph, verifying it after each, and with `context.validate` what it computes as well.
 * Throws an internal error where a pass breaks something.
 */
export function runPipeline(
  graph: Graph,
  context: PassContext,
  onPass: (event: PassEvent) => void = () => {},
  passes: readonly Pass[] = passesFor(context),
): void {
  verify(graph, context.ops);
  const validation = context.validate ? new Validation(graph, context.ops) : null;
  passes.forEach((pass, i) => {
    const patch = new Patch(graph, pass.name, i + 1);
    const start = performance.now();
    pass.run(graph, patch, context);
    verify(graph, context.ops);
    const milliseconds = performance.now() - start;
    validation?.check(graph, pass, i + 1);
    const snapshot = (): Snapshot => snapshotOf(graph);
    const { name, doc } = pass;
    onPass({ index: i + 1, name, doc, changes: patch.count, milliseconds, snapshot, dot: () => toDot(snapshot()) });
  });
}
