/** Rounds in which every case has its turn, and what they need. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Case, check, type Setup } from './cases.js';
import type { Agreement } from './compare.js';
import type { Measurement } from './job.js';
import { probeModule } from './probe.js';
import { buildChildren, measureJob, PACKAGES, ROOT } from './processes.js';
import { bestProbe, type CaseResult, calmness, isCalm, nameOf } from './report.js';

/** How long and how often is measured. */
export interface Effort {
  readonly rounds: number;
  readonly seconds: number;
  /** What a calm machine is: see README.md. */
  readonly threshold: number;
  readonly retries: number;
}

export const say = (text: string): void => void process.stderr.write(`${text}\n`);

/** Folders and programs of a run; `build` makes dist/ first. */
export async function prepareSetup(
  options: Pick<Setup, 'node' | 'core' | 'target' | 'scale'>,
  build: boolean,
): Promise<Setup> {
  const cache = join(tmpdir(), 'qc-bench-cache');
  const children = join(cache, `children-${process.pid}`);
  mkdirSync(children, { recursive: true });
  if (build) {
    const built = spawnSync(process.execPath, ['--import', 'tsx', join(ROOT, 'tools/build.ts')], { stdio: 'inherit' });
    if (built.status !== 0) throw new Error('the build failed');
  }
  await buildChildren(children);
  const probe = join(children, 'probe.wasm');
  writeFileSync(probe, await probeModule());
  return { cache, children, probe, ...options };
}

/** Takes away what a run wrote, except models and references. */
export function cleanUp({ children, cache }: Setup): void {
  rmSync(children, { recursive: true, force: true });
  rmSync(join(cache, `compiled-${process.pid}`), { recursive: true, force: true });
  rmSync(join(cache, `output-${process.pid}.f32`), { force: true });
}

/** Measures a case once, and again where the machine was disturbed. Gives the calmest attempt. */
function measureCase(c: Case, setup: Setup, effort: Effort, known: readonly Measurement[]): Measurement {
  const { engine, file, shape, input, output, revectorize = false } = c;
  const { seconds, threshold, retries } = effort;
  const job = { engine, file, shape, input, output, probe: setup.probe, packages: PACKAGES, seconds, revectorize };
  const attempts: Measurement[] = [];
  for (let attempt = 0; attempt <= retries; attempt++) {
    const measured = measureJob(setup.children, c.node ?? setup.node, setup.core, job);
    attempts.push(measured);
    const peak = bestProbe([...known, ...attempts]);
    const probe = measured.probe.map(({ mean }) => mean.toFixed(1)).join(', ');
    const calm = isCalm(measured, peak, threshold);
    say(`  ${nameOf(c)} ${measured.median.toFixed(2)} ms (probe ${probe}${calm ? '' : ', disturbed'})`);
    if (calm) return measured;
  }
  return attempts.reduce((a, b) => (calmness(b) > calmness(a) ? b : a));
}

/** Measures all cases of a network in turns. */
export function measureCases(cases: readonly Case[], setup: Setup, effort: Effort): CaseResult[] {
  const rows = cases.map((c) => ({ case: c, measurements: [] as Measurement[], agreement: {} as Agreement }));
  for (let round = 0; round < effort.rounds; round++) {
    say(`${cases[0]?.network}, round ${round + 1} of ${effort.rounds}`);
    for (const row of rows) {
      const known = rows.flatMap(({ measurements }) => measurements);
      row.measurements.push(measureCase(row.case, setup, effort, known));
      row.agreement = check(row.case);
    }
  }
  return rows;
}

/** The version that a Node says it has. */
export const versionOf = (node: string): string => spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim();
