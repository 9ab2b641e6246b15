/**
 * Times qc against onnxruntime on the networks of the zoo; see README.md.
 *
 *     npm run bench -- [--networks LIST] [--cases LIST] [--rounds N] [--seconds S] [--node PATH]
 *         [--target simd|relaxed] [--core N] [--threshold T] [--size S] [--width W] [--json FILE]
 */
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import type { Target } from '../../src/runtime/abi.js';
import { writeAtomically } from '../zoo/files.js';
import { parseCase, prepare } from './cases.js';
import { type CaseResult, summarize, table } from './report.js';
import { cleanUp, measureCases, prepareSetup, say, versionOf } from './rounds.js';

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

const setup = await prepareSetup(
  {
    node: values.node,
    core: values.core,
    target: values.target as Target,
    scale: { size: Number(values.size), width: Number(values.width), classes: Number(values.classes) },
  },
  !values['no-build'],
);
const effort = {
  rounds: Number(values.rounds),
  seconds: Number(values.seconds),
  threshold: Number(values.threshold),
  retries: Number(values.retries),
};
try {
  const results: CaseResult[] = [];
  for (const network of values.networks.split(',')) {
    say(`preparing ${network}`);
    const cases = await prepare(network, values.cases.split(',').map(parseCase), setup);
    results.push(...measureCases(cases, setup, effort));
  }
  const about = {
    date: new Date().toISOString().slice(0, 10),
    node: versionOf(values.node),
    target: values.target,
    processor: cpus()[0]?.model ?? 'unknown',
    rounds: effort.rounds,
    threshold: effort.threshold,
  };
  const summary = summarize(results, about);
  console.log(table(summary));
  if (values.json) writeAtomically(values.json, `${JSON.stringify(summary, null, 1)}\n`);
} finally {
  cleanUp(setup);
}
