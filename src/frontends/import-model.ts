import type { Graph } from '../ir/graph.js';
import { modelError } from '../support/errors.js';
import type { ModelFiles } from '../support/model-files.js';
import { importOnnx } from './onnx/import.js';
import { importPaddle, type PaddleOptions } from './paddle/import.js';

/** How a model is read, whatever its format. */
export type ImportOptions = PaddleOptions;

/** Wire types of protobuf that the formats differ in. */
const [VARINT, MESSAGE] = [0, 2];

/**
 * Whether bytes are a Paddle program: its first field is a block, field 1 as a message, where ONNX has a number. Other
 * first bytes are damage, and the name of the file tells.
 */
function isPaddle(bytes: Uint8Array, file: string): boolean {
  const [tag = 0] = bytes;
  const [field, wire] = [tag >> 3, tag & 7];
  if (field === 1 && wire === MESSAGE) return true;
  if (field === 1 && wire === VARINT) return false;
  return /(\.pdmodel|__model__)$/.test(file);
}

/** Reads a model; its content says of which format it is. Throws QcErrors of kind model, usage or io. */
export function importModel(model: ModelFiles, options: ImportOptions): Graph {
  if (model.bytes[0] === '{'.charCodeAt(0))
    throw modelError('a model in JSON, as Paddle 3 writes it, is not supported', {
      file: options.file,
      remedy: 'Export it as a .pdmodel: set FLAGS_enable_pir_api=0.',
    });
  if (isPaddle(model.bytes, options.file)) return importPaddle(model, options);
  return importOnnx(model.bytes, { ...options, readExternal: (location) => model.read(location) });
}
