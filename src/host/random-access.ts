import { closeSync, openSync, readSync, statSync } from 'node:fs';
import type { RandomAccess } from '../data/data-set.js';
import { ioError } from '../support/errors.js';
import { meaning } from './files.js';

/** A file that is read in parts; of any size, and no more of it in memory than asked for. */
export function openRandomAccess(path: string): RandomAccess {
  const attempt = <T>(action: () => T): T => {
    try {
      return action();
    } catch (cause) {
      throw ioError(`cannot read: ${meaning(cause)}`, { file: path, cause });
    }
  };
  return {
    length: attempt(() => statSync(path).size),
    read: (offset, length) =>
      attempt(() => {
        const file = openSync(path, 'r');
        try {
          const bytes = new Uint8Array(length);
          let done = 0;
          while (done < length) {
            const got = readSync(file, bytes, done, length - done, offset + done);
            if (got === 0) throw new Error('the file became shorter while it was read');
            done += got;
          }
          return bytes;
        } finally {
          closeSync(file);
        }
      }),
  };
}
