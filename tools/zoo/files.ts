import { renameSync, writeFileSync } from 'node:fs';

/** Writes a file under a temporary name and renames it, so that nobody sees a part of it. */
export function writeAtomically(file: string, content: Uint8Array | string): void {
  const temporary = `${file}.${process.pid}.tmp`;
  writeFileSync(temporary, content);
  renameSync(temporary, file);
}
