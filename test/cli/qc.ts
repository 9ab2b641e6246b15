/** The command line as a user runs it, and small files for it. */
import { spawn } from 'node:child_process';
import { readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import { model } from '../support/onnx.js';

const root = fileURLToPath(new URL('../../', import.meta.url));

/**
 * The built command where it is newer than every source (npm test builds it), else a bundle of the sources made for
 * this process: under tsx every start would transform all of Binaryen, which takes seconds.
 */
function command(): string {
  const built = join(root, 'dist/cli.js');
  const changed = (file: string): number => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' });
  const newest = Math.max(...sources.map((file) => changed(join(root, 'src', file))));
  if (changed(built) > newest) return built;
  // Inside the repo, so that packages are found.
  const folder = join(root, 'node_modules/.cache', `qc-cli-${process.pid}`);
  const entryPoints = {
    cli: join(root, 'src/cli/main.ts'),
    worker: join(root, 'src/host/worker.ts'),
    'bench-child': join(root, 'src/host/bench/child.ts'),
  };
  buildSync({ entryPoints, outdir: folder, bundle: true, packages: 'external', format: 'esm', platform: 'node' });
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}'); // below node_modules the repo's does not count
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'cli.js');
}

/** The script of the command. */
export const COMMAND = command();

export interface Outcome {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs `qc` with arguments in a folder. */
export function qc(args: readonly string[], cwd: string, env: NodeJS.ProcessEnv = {}): Promise<Outcome> {
  // What the caller's terminal wants of colours must not reach the command.
  const { FORCE_COLOR: _force, NO_COLOR: _no, ...inherited } = process.env;
  const child = spawn(process.execPath, [COMMAND, ...args], { cwd, env: { ...inherited, ...env } });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    err += chunk;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, out, err }));
  });
}

/** Does something for every item, a few at a time. */
export async function each<T>(items: readonly T[], action: (item: T) => Promise<void>, atOnce = 3): Promise<void> {
  const queue = [...items];
  const worker = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await action(item);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

const grid = (name: string, scale: number, zeroPoint: number) => ({
  [`${name}_s`]: { shape: [], data: [scale] },
  [`${name}_z`]: { shape: [], dtype: 'u8' as const, data: [zeroPoint] },
});
const fake = (from: string, to: string, by: string) => [
  { op: 'QuantizeLinear', inputs: [from, `${by}_s`, `${by}_z`], outputs: [`${to}_q`] },
  { op: 'DequantizeLinear', inputs: [`${to}_q`, `${by}_s`, `${by}_z`], outputs: [to] },
];

/** A fake-quantized network: 1x1 convolution with weights 1 and 2 (id 3), relu (4), softmax over channels (7). */
export const TINY = model({
  inputs: { 'image/in': [1, 1, 2, 2] },
  outputs: { probs: [1, 2, 2, 2] },
  initializers: {
    ...grid('x', 1 / 16, 128),
    ...grid('y', 1 / 8, 0),
    w: { shape: [2, 1, 1, 1], dtype: 'i8', data: [64, 127] },
    w_s: { shape: [], data: [1 / 64] },
    w_z: { shape: [], dtype: 'i8', data: [0] },
  },
  nodes: [
    ...fake('image/in', 'xf', 'x'),
    { op: 'DequantizeLinear', inputs: ['w', 'w_s', 'w_z'], outputs: ['wf'] },
    { op: 'Conv', name: 'first', inputs: ['xf', 'wf'], outputs: ['c'] },
    { op: 'Relu', inputs: ['c'], outputs: ['r'] },
    ...fake('r', 'rf', 'y'),
    { op: 'Softmax', inputs: ['rf'], outputs: ['probs'], attrs: { axis: 1 } },
  ],
});

/** A float network of two inputs, one with an awkward name: the sum. */
export const SUM = model({
  inputs: { 'a=b': [1, 2], c: [1, 2] },
  outputs: { sum: [1, 2] },
  nodes: [{ op: 'Add', inputs: ['a=b', 'c'], outputs: ['sum'] }],
});
