/**
 * Loads Binaryen as it is: tsx would transform its 13 MB in every test process, which takes longer than most tests.
 * Used as `--import tsx --import ./tools/plain-binaryen.mjs`.
 */
import { readFileSync } from 'node:fs';
import { register } from 'node:module';

/** The module hook, given to the loader thread as text. */
const hook = `
import { readFileSync } from 'node:fs';
export async function load(url, context, next) {
  if (!/node_modules\\/binaryen\\/index\\.js/.test(url)) return next(url, context);
  return { format: 'module', source: readFileSync(new URL(url)), shortCircuit: true };
}`;

if (!readFileSync(new URL('../node_modules/binaryen/package.json', import.meta.url), 'utf8').includes('"module"'))
  throw new Error('binaryen is no ES module any more');
register(`data:text/javascript,${encodeURIComponent(hook)}`);
