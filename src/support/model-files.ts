import { modelError } from './errors.js';

/** A model and the files beside it, which it may name: weights of ONNX models, parameters of Paddle programs. */
export interface ModelFiles {
  /** The model file itself. */
  readonly bytes: Uint8Array;
  /** The names of the files in the model's folder, where the source can list them. */
  readonly names?: readonly string[];
  /**
   * A file of the model's folder, whole. Throws a QcError: `io` if it cannot be read, `model` for a name that leads out
   * of the folder.
   */
  read(name: string): Uint8Array;
}

/** A model that notes everything that was read of it, for sizes and hashes. */
export interface RecordedFiles extends ModelFiles {
  /** The model file and, by name, the others that were read, each once, in the order of their first reading. */
  readonly parts: ReadonlyMap<string, Uint8Array>;
}

/** The name of the model file among the parts: no file has it. */
const MODEL = '';

/** Notes what is read of a model. Each file is read once. */
export function recordFiles(model: Uint8Array | ModelFiles): RecordedFiles {
  const source = model instanceof Uint8Array ? null : model;
  const bytes = source ? source.bytes : (model as Uint8Array);
  const parts = new Map<string, Uint8Array>([[MODEL, bytes]]);
  return {
    bytes,
    parts,
    ...(source?.names ? { names: source.names } : {}),
    read(name) {
      const known = name === MODEL ? undefined : parts.get(name);
      if (known) return known;
      if (!source)
        throw modelError(`the model lies in several files: ${JSON.stringify(name)} is missing`, {
          remedy: 'Give the folder or the path of the model; in code, compile({ bytes, read }).',
        });
      const data = source.read(name);
      parts.set(name, data);
      return data;
    },
  };
}
