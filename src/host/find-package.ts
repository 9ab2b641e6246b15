import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** A package of the user's project or of ours, if it is installed. */
export async function findPackage<T>(name: string): Promise<T | undefined> {
  const load = async (specifier: string): Promise<T> => {
    const found = (await import(specifier)) as { default?: T };
    return found.default ?? (found as T);
  };
  const resolved = (from: string): string =>
    pathToFileURL(createRequire(join(from, 'package.json')).resolve(name)).href;
  try {
    return await load(resolved(process.cwd()));
  } catch {
    return load(name).catch(() => undefined);
  }
}
