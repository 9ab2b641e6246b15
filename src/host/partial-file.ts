import {
  closeSync,
  existsSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { basename, dirname } from 'node:path';
import { type DataSetHeader, dataSetEnd, dataSetStart, HEAD_BYTES, pictureBytes } from '../data/data-set.js';
import type { Size } from '../data/image/preprocess.js';
import { ioError } from '../support/errors.js';
import { headerPath } from './data-set-samples.js';
import { meaning, writeFiles } from './files.js';

/** A picture that could not be read: its place in the order, and why. */
export interface BadPicture {
  readonly at: number;
  readonly reason: string;
}

/** What is kept beside the unfinished file: for which task it is, and what was left out so far. */
interface Journal {
  readonly key: string;
  readonly bad: readonly BadPicture[];
}

/** The file in the making: whole pictures in order, so that its length says how far it is. */
export class PartialFile {
  readonly path: string;
  private readonly journalName: string;
  private readonly file: number;
  private readonly head: number;
  private readonly record: number;
  private journal: Journal;
  written: number;

  constructor(target: string, key: string, dtype: 'f32' | 'u8', size: Size) {
    this.path = `${target}.partial`;
    this.journalName = `${basename(target)}.partial.json`;
    [this.head, this.record] = [HEAD_BYTES[dtype], pictureBytes(dtype, size)];
    const earlier = this.readJournal();
    const known = earlier?.key === key && existsSync(this.path);
    this.journal = known ? (earlier as Journal) : { key, bad: [] };
    this.written = known ? Math.max(0, Math.floor((statSync(this.path).size - this.head) / this.record)) : 0;
    this.file = this.attempt(() => openSync(this.path, known ? 'r+' : 'w'));
    this.attempt(() => ftruncateSync(this.file, this.head + this.written * this.record));
    if (!known) this.writeJournal();
  }

  get bad(): readonly BadPicture[] {
    return this.journal.bad;
  }

  private attempt<T>(action: () => T): T {
    try {
      return action();
    } catch (cause) {
      throw ioError(`cannot write: ${meaning(cause)}`, { file: this.path, cause });
    }
  }

  private get journalPath(): string {
    return `${this.path}.json`;
  }

  private readJournal(): Journal | undefined {
    try {
      return JSON.parse(readFileSync(this.journalPath, 'utf8')) as Journal;
    } catch {
      return undefined; // none, or of no use: start anew
    }
  }

  private writeJournal(): void {
    writeFiles(dirname(this.path), [{ name: this.journalName, data: JSON.stringify(this.journal) }]);
  }

  private write(bytes: Uint8Array, offset: number): void {
    this.attempt(() => {
      for (let done = 0; done < bytes.length; )
        done += writeSync(this.file, bytes, done, bytes.length - done, offset + done);
    });
  }

  append(picture: Uint8Array): void {
    this.write(picture, this.head + this.written * this.record);
    this.written++;
  }

  skip(bad: BadPicture): void {
    this.journal = { ...this.journal, bad: [...this.journal.bad, bad] };
    this.writeJournal();
  }

  /** Completes the file and gives it its name. */
  finish(target: string, header: DataSetHeader, labels: readonly number[]): number {
    this.write(dataSetEnd(header, labels), this.head + this.written * this.record);
    this.write(dataSetStart(header), 0);
    this.attempt(() => fsyncSync(this.file));
    closeSync(this.file);
    const beside = headerPath(target);
    if (header.dtype === 'f32')
      writeFiles(dirname(target), [{ name: basename(beside), data: JSON.stringify(header, null, 1) }]);
    this.attempt(() => renameSync(this.path, target));
    if (header.dtype === 'u8') rmSync(beside, { force: true });
    rmSync(this.journalPath, { force: true });
    return statSync(target).size;
  }

  /** Removes all that was written. */
  discard(): void {
    closeSync(this.file);
    for (const path of [this.path, this.journalPath]) rmSync(path, { force: true });
  }
}

/** The place in the order after which an earlier run stopped: pictures written and left out before it. */
export function resumeAt({ written, bad }: { readonly written: number; readonly bad: readonly BadPicture[] }): number {
  const left = new Set(bad.map((b) => b.at));
  let at = 0;
  for (let done = 0; done < written || left.has(at); at++) if (!left.has(at)) done++;
  return at;
}
