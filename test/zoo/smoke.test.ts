/** `qc eval` and `qc bench` on every topology of the zoo, small, with made-up data: all of it runs and hangs together. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { TOPOLOGIES } from '../../tools/zoo/topologies/index.js';
import { generate } from '../../tools/zoo/zoo.js';
import { each, qc } from '../cli/qc.js';

const NAMES = Object.keys(TOPOLOGIES);
const SMALL = { size: 32, width: 0.25, classes: 10 };
let folder = '';

test.before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'qc-zoo-'));
  for (const name of NAMES)
    for await (const { bytes } of generate(name, SMALL, ['u8'])) writeFileSync(join(folder, `${name}.onnx`), bytes);
});
test.after(() => rmSync(folder, { recursive: true }));

interface Column {
  readonly name: string;
  readonly latency: { readonly count: number; readonly mean: number; readonly p50: number; readonly p99: number };
  readonly accuracy: object;
  readonly memoryBytes: number;
  readonly moduleBytes: number;
}

test('eval: the three columns of every topology', async () => {
  await each(
    NAMES,
    async (name) => {
      const report = name === NAMES[0] ? ['--report', 'out.html'] : [];
      const flags = ['--fake-data', '--batch-size', '2', '--iterations', '2', '--json', ...report];
      const { code, out, err } = await qc(['eval', `${name}.onnx`, ...flags], folder);
      assert.is(code, 0, `${name}: ${err}`);
      const { samples, columns } = JSON.parse(out) as { samples: number; columns: Column[] };
      assert.is(samples, 4);
      assert.equal(
        columns.map((c) => c.name),
        ['FP32', 'fake-quantized', 'INT8'],
      );
      for (const { latency, accuracy, memoryBytes, moduleBytes } of columns) {
        assert.equal([latency.count, accuracy], [2, {}], 'the first batch is warm-up, and there are no labels');
        assert.ok(0 < latency.mean && latency.p50 <= latency.p99);
        assert.ok(memoryBytes > 0 && moduleBytes > 0);
      }
      const [fp32, , int8] = columns as [Column, Column, Column];
      assert.ok(int8.moduleBytes < fp32.moduleBytes, `${name}: ${int8.moduleBytes} of ${fp32.moduleBytes}`);
    },
    2,
  );
});

test('bench: INT8 and FP32 of all topologies in one command, with the layers of each', async () => {
  const flags = ['--rounds', '1', '--seconds', '0.01', '--cold-starts', '1', '--peers', 'none', '--layers'];
  const files = NAMES.map((name) => `${name}.onnx`);
  const { code, out, err } = await qc(['bench', ...files, '--target', 'simd', ...flags, '--json'], folder);
  assert.is(code, 0, err);
  const { results, layers } = JSON.parse(out) as {
    results: { case: { subject: string; name: string }; speedup: number; difference: number }[];
    layers: { name: string; report: { layers: { peakShare: number; share: number; ops: number[] }[] } }[];
  };
  assert.equal(
    results.map((r) => `${r.case.subject} ${r.case.name}`),
    files.flatMap((file) => [`${file} int8 simd`, `${file} fp32 simd`]),
  );
  for (const { speedup } of results) assert.ok(speedup > 0);
  assert.equal(
    layers.map((l) => l.name),
    files.map((file) => `${file}: int8 simd`),
  );
  for (const { name, report } of layers) {
    assert.ok(report.layers.length > 5, name);
    assert.ok(
      report.layers.every((l) => l.peakShare > 0 && l.share >= 0),
      name,
    );
    assert.ok(Math.abs(report.layers.reduce((n, l) => n + l.share, 0) - 1) < 1e-9, name);
  }
});

test.run();
