/**
 * Times qc against onnxruntime on the networks of the zoo; see README.md.
 *
 *     npm run bench -- [--networks LIST] [--cases LIST] [--rounds N] [--seconds S] [--node PATH]
 *         [--target simd|relaxed] [--core N] [--threshold T] [--size S] [--width W] [--json FILE]
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Target } from '../../src/runtime/abi.js';
import { writeAtomically } from '../zoo/files.js';
import { type Case, check, parseCase, prepare, type Setup } from './cases.js';
import type { Agreement } from './compare.js';
import type { Measurement } from './job.js';
import { probeModule } from './probe.js';
import { buildChildren, measureJob, PACKAGES, ROOT } from './processes.js';
import { bestProbe, type CaseResult, calmness, isCalm, nameOf, summarize, table } from './report.js';

const { values } = parseArgs({
  options: {
    networks: { type: 'string', default: 'mobilenet_v1,mobilenet_v2,resnet50' },
    cases: { type: 'string', default: 'qc:u8,qc:s8,ort-web:fp32,ort-web:u8,ort-node:u8,ort-node:s8' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '2' },
    node: { type: 'string', default: process.execPath },
    target: { type: 'string', default: 'simd' },
    core: { type: 'string', default: String(cpus().length - 1) },
    threshold: { type: 'string', default: '0.9' },
    retries: { type: 'string', default: '2' },
    size: { type: 'string', default: '224' },
    width: { type: 'string', default: '1' },
    classes: { type: 'string', default: '1000' },
    json: { type: 'string' },
    'no-build': { type: 'boolean', default: false },
  },
});

const say = (text: string): void => void process.stderr.write(`${text}\n`);

async function prepareSetup(): Promise<Setup> {
  const cache = join(tmpdir(), 'qc-bench-cache');
  const children = join(cache, `children-${process.pid}`);
  mkdirSync(children, { recursive: true });
  if (!values['no-build']) {
    const built = spawnSync(process.execPath, ['--import', 'tsx', join(ROOT, 'tools/build.ts')], { stdio: 'inherit' });
    if (built.status !== 0) throw new Error('the build failed');
  }
  await buildChildren(children);
  const probe = join(children, 'probe.wasm');
  writeFileSync(probe, await probeModule());
  return {
    cache,
    children,
    probe,
    node: values.node,
    core: values.core,
    target: values.target as Target,
    scale: { size: Number(values.size), width: Number(values.width), classes: Number(values.classes) },
  };
}

/** Measures a case once, and again where the machine was disturbed. Gives the calmest attempt. */
function measureCase(c: Case, setup: Setup, known: readonly Measurement[]): Measurement {
  const { engine, file, shape, input, output } = c;
  const seconds = Number(values.seconds);
  const job = { engine, file, shape, input, output, probe: setup.probe, packages: PACKAGES, seconds };
  const attempts: Measurement[] = [];
  for (let attempt = 0; attempt <= Number(values.retries); attempt++) {
    const measured = measureJob(setup.children, setup.node, setup.core, job);
    attempts.push(measured);
    const peak = bestProbe([...known, ...attempts]);
    const probe = measured.probe.map(({ mean }) => mean.toFixed(1)).join(', ');
    const calm = isCalm(measured, peak, Number(values.threshold));
    say(`  ${nameOf(c)} ${measured.median.toFixed(2)} ms (probe ${probe}${calm ? '' : ', disturbed'})`);
    if (calm) return measured;
  }
  return attempts.reduce((a, b) => (calmness(b) > calmness(a) ? b : a));
}

/** Measures all cases of a network in turns. */
function measureCases(cases: readonly Case[], setup: Setup, rounds: number): CaseResult[] {
  const rows = cases.map((c) => ({ case: c, measurements: [] as Measurement[], agreement: {} as Agreement }));
  for (let round = 0; round < rounds; round++) {
    say(`${cases[0]?.network}, round ${round + 1} of ${rounds}`);
    for (const row of rows) {
      const known = rows.flatMap(({ measurements }) => measurements);
      row.measurements.push(measureCase(row.case, setup, known));
      row.agreement = check(row.case);
    }
  }
  return rows;
}

const setup = await prepareSetup();
try {
  const results: CaseResult[] = [];
  for (const network of values.networks.split(',')) {
    say(`preparing ${network}`);
    const cases = await prepare(network, values.cases.split(',').map(parseCase), setup);
    results.push(...measureCases(cases, setup, Number(values.rounds)));
  }
  const version = spawnSync(values.node, ['--version'], { encoding: 'utf8' }).stdout.trim();
  const about = {
    date: new Date().toISOString().slice(0, 10),
    node: version,
    target: values.target,
    processor: cpus()[0]?.model ?? 'unknown',
    rounds: Number(values.rounds),
    threshold: Number(values.threshold),
  };
  const summary = summarize(results, about);
  console.log(table(summary));
  if (values.json) writeAtomically(values.json, `${JSON.stringify(summary, null, 1)}\n`);
} finally {
  rmSync(setup.children, { recursive: true, force: true });
  rmSync(join(setup.cache, `compiled-${process.pid}`), { recursive: true, force: true });
  rmSync(join(setup.cache, `output-${process.pid}.f32`), { force: true });
}
