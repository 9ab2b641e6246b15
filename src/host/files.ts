import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { ioError } from '../support/errors.js';

const MEANING: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or directory',
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  EISDIR: 'it is a directory',
  ENOTDIR: 'a part of the path is not a directory',
  EEXIST: 'a file with this name is in the way',
  ENOSPC: 'no space left on the device',
  EROFS: 'read-only file system',
  EFBIG: 'the file is too large',
  ERR_FS_FILE_TOO_LARGE: 'the file is larger than 2 GiB',
  ENAMETOOLONG: 'the name is too long',
};

/** What a file system error means, in words. */
export function meaning(error: unknown): string {
  const code = (error as NodeJS.ErrnoException)?.code;
  return (code && MEANING[code]) ?? (error instanceof Error ? error.message : String(error));
}

/** Reads a file whole. */
export function readFile(path: string): Uint8Array {
  try {
    const { buffer, byteOffset, byteLength } = readFileSync(path);
    return new Uint8Array(buffer, byteOffset, byteLength);
  } catch (cause) {
    throw ioError(`cannot read: ${meaning(cause)}`, { file: path, cause });
  }
}

/** A file to be written. */
export interface OutputFile {
  readonly name: string;
  readonly data: Uint8Array | string;
}

/** Removes what a failed write left; that it may fail too matters less than the error being reported. */
function discard(paths: readonly string[]): void {
  for (const path of paths)
    try {
      rmSync(path, { recursive: true, force: true });
    } catch {}
}

/**
 * Creates a folder with those above it; gives the topmost one that did not exist before. Not mkdir's `recursive`:
 * Node loops for ever where a parent exists but refuses entries, as /proc does.
 */
export function makeFolder(path: string): string | undefined {
  const missing: string[] = [];
  for (let at = resolve(path); !existsSync(at); at = dirname(at)) missing.push(at);
  try {
    if (missing.length === 0 && !statSync(path).isDirectory()) throw new Error('a file with this name is in the way');
    for (const folder of missing.toReversed()) mkdirSync(folder);
  } catch (cause) {
    discard(missing.slice(-1));
    throw ioError(`cannot create the folder: ${meaning(cause)}`, { file: path, cause });
  }
  return missing.at(-1);
}

function writeTemporary(target: string, data: Uint8Array | string): string {
  const temporary = join(dirname(target), `.${basename(target)}.${process.pid}.tmp`);
  try {
    if (existsSync(target) && statSync(target).isDirectory()) throw new Error('a folder with this name is in the way');
    writeFileSync(temporary, data);
    return temporary;
  } catch (cause) {
    discard([temporary]);
    throw ioError(`cannot write: ${meaning(cause)}`, { file: target, cause });
  }
}

/**
 * Writes a set of files into a folder, which is created where it is missing. All are written under other names first
 * and renamed at the end, so that a failure leaves neither a part of a file nor a part of the set. Gives their paths.
 */
export function writeFiles(folder: string, files: readonly OutputFile[]): string[] {
  const created = makeFolder(folder);
  const targets = files.map((file) => join(folder, file.name));
  const temporaries: string[] = [];
  const fresh: string[] = [];
  try {
    for (const [i, file] of files.entries()) temporaries.push(writeTemporary(targets[i] as string, file.data));
    for (const [i, target] of targets.entries()) {
      if (!existsSync(target)) fresh.push(target);
      try {
        renameSync(temporaries[i] as string, target);
      } catch (cause) {
        throw ioError(`cannot write: ${meaning(cause)}`, { file: target, cause });
      }
    }
    return targets;
  } catch (error) {
    discard([...temporaries, ...fresh, ...(created === undefined ? [] : [created])]);
    throw error;
  }
}
