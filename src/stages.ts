import type { Graph } from './ir/graph.js';
import { type Snapshot, snapshotOf } from './ir/snapshot.js';
import type { PassEvent } from './passes/pipeline.js';

/** The model at one stage: as imported (0), and after each pass. */
export interface Stage {
  readonly index: number;
  /** Name of the pass; `import` for the first. */
  readonly name: string;
  readonly doc: string;
  /** How many changes the pass made. */
  readonly changes: number;
  readonly milliseconds: number;
  readonly snapshot: Snapshot;
}

const IMPORTED = { index: 0, name: 'import', doc: 'the model as the file has it', changes: 0, milliseconds: 0 };

/** The first stage: the imported graph, before any pass. */
export const importedStage = (graph: Graph): Stage => ({ ...IMPORTED, snapshot: snapshotOf(graph) });

/** The stage after a pass. */
export function stageAfter(event: PassEvent): Stage {
  const { index, name, doc, changes, milliseconds } = event;
  return { index, name, doc, changes, milliseconds, snapshot: event.snapshot() };
}
