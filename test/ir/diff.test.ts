/** Differences of graphs and modules as text. */
import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compile, lower } from '../../src/compile.js';
import { diffModules, moduleDifferenceText } from '../../src/diff-modules.js';
import { diffGraphs, diffText, isEmpty, statusesOf } from '../../src/ir/diff.js';
import { snapshotOf } from '../../src/ir/snapshot.js';
import { type CompileOptions, resolveOptions } from '../../src/options.js';
import { DIGITS } from '../support/models.js';
import { graphOf } from '../support/passes.js';

const bytes = readFileSync(DIGITS);
const stagesWith = (options: CompileOptions) => lower(bytes, resolveOptions({ ...options, debug: true })).stages;

test('a graph does not differ from itself, nor two compilations of one model', () => {
  const [a, b] = [stagesWith({}), stagesWith({})];
  for (const [i, stage] of a.entries()) assert.ok(isEmpty(diffGraphs(stage.snapshot, b[i].snapshot)), stage.name);
});

test('passes: what is fused, retyped, added and gone', () => {
  const stages = stagesWith({});
  const at = stages.findIndex((s) => s.name === 'fuse-activation');
  const diff = diffGraphs(stages[at - 1].snapshot, stages[at].snapshot);
  const text = diffText(diff);
  assert.ok(text.includes('- relu (15) "/stem/activation/Relu": fused into conv2d (14)'));
  assert.ok(text.includes('~ conv2d (14) "/stem/Conv"') && text.includes('    takes relu (15) in'));
  assert.is(statusesOf(diff).get(14), 'fused');
  const insert = stages.findIndex((s) => s.name === 'insert-quantize');
  const inserted = diffGraphs(stages[insert - 1].snapshot, stages[insert].snapshot);
  assert.ok(inserted.added.length > 0 && inserted.removed.length === 0);
  for (const { id } of inserted.added) assert.is(statusesOf(inserted).get(id), 'added');
});

test('options: skipping an op changes that op and its borders, whatever numbers insertions got', () => {
  const [all, skipped] = [stagesWith({}).at(-1), stagesWith({ opIdsToSkip: [20] }).at(-1)];
  assert.ok(all && skipped);
  const diff = diffGraphs(all.snapshot, skipped.snapshot);
  const text = diffText(diff).join('\n');
  assert.match(text, /placement: int8 -> float\n {4}reason: none -> skipped by id 20/);
  assert.is(diff.removed.length, 0);
  assert.ok(diff.added.every((node) => /quantize/.test(node.op)));
});

test('constants, attributes and the border', () => {
  const graph = (w: string, stride: number, output: string) =>
    snapshotOf(
      graphOf(`graph "g"
input %0 "x": f32[1,1,4,4]
const %1 "w": f32[1,1,1,1] = [${w}]
%2 "y": f32[1,1,${4 / stride},${4 / stride}] = conv2d(%0, %1) {"strides":[${stride},${stride}],"activation":null} id=0
output %2 "${output}"
`),
    );
  assert.equal(diffText(diffGraphs(graph('1', 1, 'y'), graph('2', 2, 'z'))), [
    'output "y": f32[1,1,4,4] -> none',
    'output "z": none -> f32[1,1,2,2]',
    '~ conv2d (0)',
    '    attribute strides: [1,1] -> [2,2]',
    '    input 1: f32[1,1,1,1] [1] -> f32[1,1,1,1] [2]',
    '    type of "y": f32[1,1,4,4] -> f32[1,1,2,2]',
  ]);
});

test('modules: placement, kernels and memory', async () => {
  const [a, b] = [await compile(bytes), await compile(bytes, { opIdsToSkip: [20] })];
  assert.equal(diffModules(a.report, a.report), []);
  const text = diffModules(a.report, b.report).map(moduleDifferenceText);
  assert.ok(text.includes('depthwise_conv2d (20) computes in: int8 -> float: skipped by id 20'));
  assert.ok(text.some((line) => /^depthwise_conv2d \(20\) kernel: i16-depthwise\S* -> f32-depthwise/.test(line)));
});

test.run();
