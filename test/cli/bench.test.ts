/** `qc bench` and the limits of builds, as a user runs them. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { qc, SUM, TINY } from './qc.js';

let folder = '';
const FAST = ['--rounds', '1', '--seconds', '0.02', '--cold-starts', '1', '--peers', 'none'];

test.before(() => {
  folder = mkdtempSync(join(tmpdir(), 'qc-bench-test-'));
  writeFileSync(join(folder, 'tiny.onnx'), TINY);
  writeFileSync(join(folder, 'sum.onnx'), SUM);
});
test.after(() => rmSync(folder, { recursive: true }));

interface Report {
  machine: { processor: string; cores: number };
  peak: number;
  options: { rounds: number };
  results: {
    case: { subject: string; name: string; kind: string; size: number; gzip: number };
    about: { node: string; relaxedSimd: boolean };
    load: number;
    firstRun: number;
    memory: number;
    rounds: { times: number[]; cpuShare: number }[];
    outputs: { name: string; fnv1a: string }[];
  }[];
}

test('a model is measured in INT8 on every target and in FP32', async () => {
  const { code, out, err } = await qc(['bench', 'tiny.onnx', ...FAST, '--json'], folder);
  assert.is(code, 0, err);
  const { results, machine, peak, options } = JSON.parse(out) as Report;
  const targets = results[0]?.about.relaxedSimd ? ['simd', 'relaxed'] : ['simd'];
  assert.equal(
    results.map((r) => r.case.name),
    [...targets.map((t) => `int8 ${t}`), `fp32 ${targets.at(-1)}`],
  );
  assert.is(
    new Set(results.slice(0, targets.length).map((r) => r.outputs[0]?.fnv1a)).size,
    1,
    'the same on both targets',
  );
  for (const { rounds, load, firstRun, memory, about, case: c } of results) {
    assert.is(rounds.length, options.rounds);
    assert.ok(rounds.every((r) => r.times.length >= 3 && r.times.every((t) => t > 0)));
    assert.ok(load > 0 && firstRun > 0 && memory > 1e6 && c.size > c.gzip && c.gzip > 0);
    assert.is(about.node, process.version);
  }
  assert.ok(peak > 0 && machine.cores > 0);
  assert.match(err, /Node .* on .*\n.*1 interleaved rounds of 0.02 s each; best probe/);
});

test('modules and models can be compared, and the table names them', async () => {
  assert.is((await qc(['compile', 'tiny.onnx', '-o', 'build'], folder)).code, 0);
  const { code, out, err } = await qc(['bench', 'build/tiny.wasm', '--target', 'simd', ...FAST], folder);
  assert.is(code, 2, 'a compiled module takes no --target');
  assert.match(err, /--target says how to compile, but build\/tiny.wasm is compiled already/);
  assert.is(out, '');
  const both = await qc(['bench', 'build/tiny.wasm', 'sum.onnx', ...FAST], folder);
  assert.is(both.code, 0, both.err);
  assert.match(both.out, /ms +p90 .*\nbuild\/tiny.wasm\n {2}simd .* 1\.00x .*\nsum.onnx\n {2}fp32 /);
  assert.match(both.err, /note: no op of sum.onnx is int8: only FP32 is measured/);
});

test('layers are told in a table, a trace and a page, and add up to the run', async () => {
  const files = ['--trace', 'out/trace.json', '--report', 'out/page.html', '--explorer', 'out/times.html'];
  const { code, out, err } = await qc(['bench', 'tiny.onnx', '--layers', ...files, ...FAST], folder);
  assert.is(code, 0, err);
  assert.match(out, /id +type +in +ms +share +GMAC\/s .*\n(.*\n)* *3\+4 +conv2d +int8 /);
  assert.match(out, /the layers add up to [\d.]+ ms, a whole run takes [\d.]+ ms/);
  assert.match(out, /outside of int8 kernels: [\d.]+ % of the time/);
  const { traceEvents } = JSON.parse(readFileSync(join(folder, 'out/trace.json'), 'utf8'));
  assert.ok(traceEvents.some((e: { name: string }) => e.name === 'conv2d (3)'));
  const page = readFileSync(join(folder, 'out/page.html'), 'utf8');
  for (const id of ['results', 'latency', 'layers', 'method', 'builds']) assert.match(page, new RegExp(`id="${id}"`));
  const text = /id="report-data">(.*?)<\/script>/s.exec(readFileSync(join(folder, 'out/times.html'), 'utf8'))?.[1];
  const { overlays, stages } = JSON.parse(text ?? '');
  assert.ok(stages.length > 1);
  assert.equal(
    overlays.map((o: { title: string }) => o.title),
    ['time', 'share of the attainable peak'],
  );
  for (const id of [3, 4]) {
    assert.match(overlays[0].values[id].text, /^[\d.e-]+ ms, [\d.]+ % of the time; [\d.]+ GMAC\/s, \d+ bytes at /);
    assert.match(overlays[1].values[id].text, /^[\d.]+ % of what this machine could do/);
  }
  assert.is((await qc(['compile', 'tiny.onnx', '-o', 'profiled', '--profile'], folder)).code, 0);
  const module = await qc(['bench', 'profiled/tiny.wasm', '--layers', '--json', ...FAST], folder);
  const [{ report }] = JSON.parse(module.out).layers;
  assert.ok(Math.abs(report.layers.reduce((n: number, l: { share: number }) => n + l.share, 0) - 1) < 1e-9);
  const compiled = await qc(['bench', 'profiled/tiny.wasm', '--explorer', 'x.html', ...FAST], folder);
  assert.is(compiled.code, 2);
  assert.match(compiled.err, /--explorer shows the passes of a model; profiled\/tiny.wasm is compiled already/);
  const plain = await qc(['bench', 'build/tiny.wasm', '--layers', ...FAST], folder);
  assert.match(plain.err, /build\/tiny.wasm was not compiled for profiling: .*--profile/);
});

test('limits fail the build and name what broke them', async () => {
  const sized = await qc(
    ['bench', 'tiny.onnx', ...FAST, '--precision', 'int8', '--max-size', '1kB', '--min-speedup', '2'],
    folder,
  );
  assert.is(sized.code, 1);
  assert.match(sized.err, /error: --max-size: tiny.onnx: int8 simd has .* kB, the limit is 1.00 kB/);
  assert.match(sized.err, /--min-speedup: INT8 of tiny.onnx and FP32 were not both measured: nothing to compare/);
  const compiled = await qc(['compile', 'tiny.onnx', '-o', 'limited', '--max-size', '1kB'], folder);
  assert.is(compiled.code, 1);
  assert.match(compiled.err, /tiny.wasm has .* kB, the limit is 1.00 kB/);
  assert.ok(!readdirSync(folder).includes('limited'), 'nothing is written');
  assert.is((await qc(['compile', 'tiny.onnx', '-o', 'limited', '--max-size', '1MB'], folder)).code, 0);
});

test('wrong values are explained', async () => {
  const cases: [args: string[], code: number, message: RegExp][] = [
    [[], 2, /qc bench needs a MODEL\|MODULE/],
    [['tiny.onnx', '--rounds', '0'], 2, /--rounds takes a positive integer, not "0"/],
    [['tiny.onnx', '--seconds', 'x'], 2, /--seconds takes a number greater than 0, not "x"/],
    [['tiny.onnx', '--threshold', '2'], 2, /--threshold takes a share up to 1/],
    [
      ['tiny.onnx', '--peers', 'tensorflow'],
      2,
      /unknown peer "tensorflow"\n.*onnxruntime-node, onnxruntime-web or none/,
    ],
    [['tiny.onnx', '--peers', 'onnxruntime-web'], 2, /onnxruntime-web is not installed in .*\n.*npm i onnxruntime-web/],
    [['tiny.onnx', '--core', '9999'], 2, /--core takes a number from 0 to/],
    [['tiny.onnx', '--max-size', 'big'], 2, /--max-size takes a size such as 5MB/],
    [['tiny.onnx', '--min-speedup', '-1'], 2, /--min-speedup takes a number greater than 0/],
    [['tiny.onnx', '--input', 'nothing.npy'], 4, /nothing.npy: cannot read/],
    [['tiny.onnx', '--node', 'no-such-node'], 4, /no-such-node.* cannot be started/],
    [['missing.onnx'], 4, /missing.onnx: cannot read/],
    [['tiny.onnx', '--layer'], 2, /Did you mean --layers\?/],
  ];
  for (const [args, code, message] of cases) {
    const outcome = await qc(['bench', ...args], folder);
    assert.match(outcome.err, message, args.join(' '));
    assert.is(outcome.code, code, `${args.join(' ')}: ${outcome.err}`);
    assert.is(outcome.out, '', 'nothing on stdout');
  }
});

test.run();
