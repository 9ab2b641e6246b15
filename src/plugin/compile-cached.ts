import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { compile } from '../compile.js';
import { writeFiles } from '../host/files.js';
import { openModel } from '../host/open-model.js';
import type { CompileOptions } from '../options.js';
import { recordFiles } from '../support/model-files.js';
import { VERSION } from '../version.js';

/** A compiled package on disk. */
export interface CachedPackage {
  readonly folder: string;
  /** Path of NAME.mjs. */
  readonly loader: string;
  /** Paths of the files that the model was read from. */
  readonly sources: readonly string[];
}

/** What a cached package was made of: names of the files that were read, with the SHA-256 of each. */
type Manifest = Readonly<Record<string, string>>;

const MANIFEST = 'sources.json';

const hashOf = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');

/** Whether the files beside the model are those that the package was made of. */
function isCurrent(manifest: Manifest, read: (name: string) => Uint8Array): boolean {
  return Object.entries(manifest).every(([name, hash]) => {
    try {
      return hashOf(read(name)) === hash;
    } catch {
      return false;
    }
  });
}

/**
 * The package of a model in a cache folder; compiled where the cache has none of the same content, options and version
 * of qc. Throws QcErrors.
 */
export async function compileCached(path: string, options: CompileOptions, cache: string): Promise<CachedPackage> {
  const { files, name, file } = openModel(path);
  const { onPass: _, ...settings } = options;
  const key = hashOf(JSON.stringify([VERSION, name, settings, hashOf(files.bytes)])).slice(0, 24);
  const folder = join(cache, key);
  const loader = join(folder, `${name}.mjs`);
  const found = join(folder, MANIFEST);
  const sourcesOf = (manifest: Manifest): string[] => [
    path,
    ...Object.keys(manifest).map((part) => join(path, '..', part)),
  ];
  if (existsSync(loader) && existsSync(found)) {
    const manifest = JSON.parse(readFileSync(found, 'utf8')) as Manifest;
    if (isCurrent(manifest, (part) => files.read(part))) return { folder, loader, sources: sourcesOf(manifest) };
  }
  const recorded = recordFiles(files);
  const result = await compile(recorded, { name, file, ...options });
  const parts = [...recorded.parts].filter(([, bytes]) => bytes !== files.bytes);
  const manifest = Object.fromEntries(parts.map(([part, bytes]) => [part, hashOf(bytes)]));
  writeFiles(folder, [...result.files, { name: MANIFEST, data: JSON.stringify(manifest) }]);
  return { folder, loader, sources: sourcesOf(manifest) };
}
