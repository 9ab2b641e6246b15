import type { Graph } from '../ir/graph.js';
import type { ModelFiles } from '../support/model-files.js';
import { importOnnx } from './onnx/import.js';

/** How a model is read, whatever its format. */
export interface ImportOptions {
  /** The file's name, for messages. */
  readonly file: string;
  /** Size of open batch dimensions; 1 if absent. */
  readonly batch?: number;
  /** Whole shapes of inputs, by name. */
  readonly inputShapes?: Readonly<Record<string, readonly number[]>>;
}

/** Reads a model; its content says of which format it is. Throws QcErrors of kind model, usage or io. */
export function importModel(model: ModelFiles, options: ImportOptions): Graph {
  return importOnnx(model.bytes, options);
}
