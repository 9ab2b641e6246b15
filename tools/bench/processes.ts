/** The processes that the runner starts: compilations, references, measurements. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { ModuleInfo, Target } from '../../src/runtime/abi.js';
import { type Job, type Measurement, RESULT_MARK } from './job.js';

/** The folder of the repo. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Where onnxruntime is installed. */
export const PACKAGES = join(ROOT, 'tools/bench');

/** Runs a program to its end; throws with the end of what it said if it failed. */
function run(program: string, args: readonly string[]): { stdout: string; stderr: string } {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 1 << 28 });
  if (error || status !== 0)
    throw new Error(
      `${program} ${args.slice(0, 3).join(' ')}: ${error ?? stderr.slice(-1500) ?? `exit code ${status}`}`,
    );
  return { stdout, stderr };
}

/** Turns the programs for the children into plain JavaScript, so that no loader of TypeScript shares their time. */
export async function buildChildren(folder: string): Promise<void> {
  await build({
    entryPoints: ['measure', 'reference', 'report-memory'].map((name) => join(PACKAGES, `${name}.ts`)),
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    external: ['binaryen'],
    // what is bundled from CommonJS asks for require
    banner: {
      js: "import { createRequire as makeRequire } from 'node:module'; const require = makeRequire(import.meta.url);",
    },
    logLevel: 'error',
  });
}

export interface Compiled {
  readonly loader: string;
  readonly info: ModuleInfo;
  readonly seconds: number;
  readonly moduleBytes: number;
  /** Peak memory of the compiler in MB. */
  readonly memory: number;
}

/** Compiles a model with the built command line, as a user does. */
export function compileModel(children: string, model: string, target: Target, folder: string): Compiled {
  const cli = join(ROOT, 'dist/cli.js');
  if (!existsSync(cli)) throw new Error('dist/ is missing: npm run build');
  const args = [
    '--import',
    join(children, 'report-memory.mjs'),
    cli,
    'compile',
    model,
    '--target',
    target,
    '-o',
    folder,
    '--json',
  ];
  const start = performance.now();
  const { stdout, stderr } = run(process.execPath, args);
  const seconds = (performance.now() - start) / 1000;
  const { files, module } = JSON.parse(stdout) as { files: { path: string; bytes: number }[]; module: ModuleInfo };
  const file = (extension: string) =>
    files.find(({ path }) => path.endsWith(extension)) as { path: string; bytes: number };
  const memory = Number(/@memory ([\d.]+)/.exec(stderr)?.[1]);
  return { loader: file('.mjs').path, info: module, seconds, moduleBytes: file('.wasm').bytes, memory };
}

/** The interpreter's output on an input file. */
export function interpreted(children: string, model: string, input: string, output: string): void {
  run(process.execPath, [join(children, 'reference.mjs'), model, input, output]);
}

const hasTaskset = spawnSync('taskset', ['--version']).status === 0;

/** Does one job in a fresh process of a Node, on one core where the system can pin it. */
export function measureJob(children: string, node: string, core: string, job: Job): Measurement {
  const command = [node, join(children, 'measure.mjs'), JSON.stringify(job)];
  const [program, ...args] = hasTaskset ? ['taskset', '-c', core, ...command] : command;
  const { stdout } = run(program as string, args);
  const line = stdout.split('\n').find((l) => l.startsWith(RESULT_MARK));
  if (!line) throw new Error(`${job.engine} ${basename(job.file)}: no result`);
  return JSON.parse(line.slice(RESULT_MARK.length)) as Measurement;
}

/** The float32 values of a raw file. */
export const readFloats = (file: string): Float32Array => new Float32Array(new Uint8Array(readFileSync(file)).buffer);
