/**
 * The test runner: every file in a process of its own (Binaryen and V8 flags are process-wide state), two at a time.
 *
 *     tsx test/run.ts [--timeout SECONDS] [--jobs N] [PATTERN...]
 *
 * A pattern is a part of a test file's path, or the path of any file. The last line is always `N passed, N failed`. A
 * file that crashes, hangs or runs no test counts as one failure: uvu itself is content with a forgotten test.run().
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const FIXED_SEED = new URL('./support/seed.mjs', import.meta.url).href;
const PLAIN_BINARYEN = new URL('../tools/plain-binaryen.mjs', import.meta.url).href;

interface Exit {
  readonly output: string;
  readonly code: number | null;
  readonly timedOut: boolean;
}

interface Result {
  readonly passed: number;
  readonly failed: number;
  readonly skips: readonly string[];
  /** Why the file as a whole failed, if it did. */
  readonly problem?: string;
}

const running = new Set<ChildProcess>();

/** All test files below a folder, as paths relative to the repo. */
function findTests(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : findTests(path);
      return entry.name.endsWith('.test.ts') ? [relative(ROOT, path)] : [];
    })
    .sort();
}

/** The files that the patterns select; a pattern without any file is an error. */
function select(all: readonly string[], patterns: readonly string[]): string[] {
  if (patterns.length === 0) return [...all];
  const chosen = patterns.flatMap((pattern) => {
    if (existsSync(pattern) && statSync(pattern).isFile()) return [relative(ROOT, pattern)];
    const files = all.filter((file) => file.includes(pattern));
    if (files.length === 0) throw new Error(`no test file matches ${pattern}`);
    return files;
  });
  return [...new Set(chosen)];
}

/** Ends a child and whatever it started. */
function kill(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  } catch {
    child.kill('SIGKILL'); // no such group any more
  }
}

/** Runs one file to its end or to the timeout. */
function execute(file: string, timeout: number): Promise<Exit> {
  const { FORCE_COLOR: _, ...env } = process.env;
  const child = spawn(process.execPath, ['--import', 'tsx', '--import', PLAIN_BINARYEN, '--import', FIXED_SEED, file], {
    cwd: ROOT,
    env: { ...env, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true, // a group of its own, so that kill() reaches its children
  });
  running.add(child);
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
  return new Promise((resolve, reject) => {
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      kill(child);
    }, timeout * 1000);
    child.on('error', reject);
    child.on('exit', () => kill(child)); // a grandchild left behind would keep the pipes open
    child.on('close', (code) => {
      clearTimeout(timer);
      running.delete(child);
      resolve({ output: Buffer.concat(chunks).toString('utf8'), code, timedOut });
    });
  });
}

/** The last of uvu's closing numbers with this label. */
function total(output: string, label: string): number | undefined {
  const found = [...output.matchAll(new RegExp(`^ {2}${label}: +(\\d+)$`, 'gm'))].at(-1);
  return found && Number(found[1]);
}

/** Reads a file's result from its output and exit code. */
function judge({ output, code, timedOut }: Exit, timeout: number): Result {
  const skips = [...output.matchAll(/^SKIP (.+)$/gm)].map((match) => match[1]);
  const count = total(output, 'Total');
  const passed = total(output, 'Passed') ?? 0;
  const failed = (count ?? 0) - passed;
  const silent = total(output, 'Skipped') ?? 0;
  if (silent > 0) skips.push(`${silent} tests by test.skip or test.only`);
  const result = { passed, failed, skips };
  if (timedOut) return { ...result, problem: `no end after ${timeout} s, killed` };
  if (code !== 0 && failed === 0) return { ...result, problem: `ended with exit code ${code}` };
  if (count === undefined && skips.length === 0) return { ...result, problem: 'ran no test: is test.run() missing?' };
  if (count === 0 && skips.length === 0) return { ...result, problem: 'holds no test' };
  return result;
}

/** Runs one file and prints its line, with the whole output if something failed. */
async function runFile(file: string, timeout: number): Promise<Result> {
  const start = performance.now();
  const exit = await execute(file, timeout);
  const result = judge(exit, timeout);
  const bad = result.failed > 0 || result.problem !== undefined;
  const seconds = ((performance.now() - start) / 1000).toFixed(1).padStart(6);
  const counts = `${String(result.passed).padStart(5)} passed${result.failed > 0 ? `, ${result.failed} failed` : ''}`;
  console.log(`${bad ? 'FAIL' : 'ok  '} ${seconds} s ${counts}  ${file}`);
  if (bad) console.log(`\n${exit.output.trimEnd()}\n${result.problem ? `${file}: ${result.problem}\n` : ''}`);
  return result;
}

/** Runs all files, `jobs` at a time. */
async function runAll(files: readonly string[], jobs: number, timeout: number): Promise<Result[]> {
  const queue = [...files];
  const results: Result[] = [];
  const worker = async (): Promise<void> => {
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) results.push(await runFile(file, timeout));
  };
  await Promise.all(Array.from({ length: jobs }, worker));
  return results;
}

/** Prints the skips and, last, the totals; the answer says whether all is well. */
function summarize(results: readonly Result[]): boolean {
  const skips = results.flatMap((result) => result.skips);
  for (const skip of skips) console.log(`skipped: ${skip}`);
  const passed = results.reduce((sum, result) => sum + result.passed, 0);
  const broken = results.filter((result) => result.problem !== undefined).length;
  const failed = results.reduce((sum, result) => sum + result.failed, broken);
  if (passed + failed === 0) console.log('no test ran');
  console.log(`${passed} passed, ${failed} failed${skips.length > 0 ? `, ${skips.length} skipped` : ''}`);
  return failed === 0 && passed > 0;
}

async function main(): Promise<boolean> {
  const { values, positionals } = parseArgs({
    options: { timeout: { type: 'string', default: '600' }, jobs: { type: 'string', default: '2' } },
    allowPositionals: true,
  });
  const files = select(findTests(join(ROOT, 'test')), positionals);
  return summarize(await runAll(files, Number(values.jobs), Number(values.timeout)));
}

// The children run in groups of their own, which the terminal's ctrl-c does not reach.
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    for (const child of running) kill(child);
    process.exit(1);
  });
}

try {
  process.exitCode = (await main()) ? 0 : 1;
} catch (error) {
  console.log(`${error instanceof Error ? error.message : error}\n0 passed, 1 failed`);
  process.exitCode = 1;
}
