import { readdirSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, parse, resolve, sep } from 'node:path';
import { ioError, modelError, usageError } from '../support/errors.js';
import type { ModelFiles } from '../support/model-files.js';
import { meaning, readFile } from './files.js';

/** A model on disk. */
export interface OpenedModel {
  readonly files: ModelFiles;
  /** The path of the model file, for messages. */
  readonly file: string;
  /** The name of the emitted files: the stem of the file, or of the folder that was given. */
  readonly name: string;
}

/** Names of model files in folders, the more telling first. */
const MODEL_NAMES = ['inference.pdmodel', '__model__', 'model.pdmodel', 'model'] as const;

/** Extensions of model files: a folder with only one of them needs no flag. */
const MODEL_FILE = /\.(pdmodel|onnx)$/;

/**
 * Opens a model: a file, or a folder with one. `modelFile` names the file in a folder. Reading is confined to the
 * model's folder: names that lead out of it, also through links, are refused. Throws io, usage and model errors.
 */
export function openModel(path: string, modelFile?: string): OpenedModel {
  if (!isFolder(path)) {
    if (modelFile !== undefined)
      throw usageError(`${path} is a file; the name of a model file goes with a folder`, {
        remedy: 'Leave --model-file out, or give the folder.',
      });
    return { files: filesBeside(path), file: path, name: parse(path).name };
  }
  const file = join(path, modelFile ?? findModel(path));
  return { files: filesBeside(file), file, name: basename(resolve(path)) };
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false; // reading it gives the error
  }
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch (cause) {
    throw ioError(`cannot read: ${meaning(cause)}`, { file: folder, cause });
  }
}

/** The model file of a folder. Throws a usage error where it is not clear. */
function findModel(folder: string): string {
  const names = list(folder);
  const known = MODEL_NAMES.find((name) => names.includes(name));
  if (known) return known;
  const models = names.filter((name) => MODEL_FILE.test(name));
  if (models.length === 1) return models[0] as string;
  if (models.length > 1)
    throw usageError(`${folder} holds ${models.length} models: ${models.join(', ')}`, {
      remedy: 'Give the path of one, or name it with --model-file.',
    });
  throw modelError('the folder holds no model', {
    file: folder,
    remedy: `A model is an .onnx or .pdmodel file or ${MODEL_NAMES[1]}; name any other with --model-file.`,
  });
}

/** The model file with what lies in its folder. */
function filesBeside(file: string): ModelFiles {
  const folder = dirname(file);
  const bytes = readFile(file);
  return { bytes, names: list(folder), read: (name) => readFile(confined(folder, name)) };
}

/** The path of a name in a folder. A model must not make qc read files elsewhere on the machine. */
function confined(folder: string, name: string): string {
  const refused = (why: string): Error =>
    modelError(`the model names the file ${JSON.stringify(name)}, ${why}`, { file: folder });
  if (name === '' || name.includes('\0') || /^[/\\]|^[A-Za-z]:|(^|[/\\])\.\.([/\\]|$)/.test(name))
    throw refused('which is not a file beside it');
  const path = join(folder, name);
  let real: string;
  try {
    real = realpathSync(path);
    if (!statSync(real).isFile()) throw new Error('it is no regular file');
  } catch (cause) {
    throw ioError(`cannot read: ${meaning(cause)}`, { file: path, cause });
  }
  if (!real.startsWith(realpathSync(folder) + sep)) throw refused('a link that leads out of its folder');
  return path;
}
