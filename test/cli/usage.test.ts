import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { model } from '../support/onnx.js';
import { each, qc, TINY } from './qc.js';

let folder = '';
let before: string[] = [];

test.before(() => {
  folder = mkdtempSync(join(tmpdir(), 'qc-cli-'));
  writeFileSync(join(folder, 'tiny.onnx'), TINY);
  writeFileSync(join(folder, 'empty.onnx'), '');
  writeFileSync(join(folder, 'text.onnx'), 'hello, world');
  writeFileSync(join(folder, 'cut.onnx'), TINY.subarray(0, TINY.length >> 1));
  writeFileSync(
    join(folder, 'random.onnx'),
    Uint8Array.from({ length: 3000 }, (_, i) => (i * i * 7919) >> 5),
  );
  const nodes = ['Foo', 'Bar', 'Relu'].map((op, i) => ({
    op,
    name: `n${i}`,
    inputs: [`v${i}`],
    outputs: [`v${i + 1}`],
  }));
  writeFileSync(join(folder, 'unknown.onnx'), model({ inputs: { v0: [1] }, outputs: { v3: [1] }, nodes }));
  mkdirSync(join(folder, 'blocked/tiny.mjs'), { recursive: true });
  before = readdirSync(folder, { recursive: true }).map(String).sort();
});
test.after(() => rmSync(folder, { recursive: true }));

/** Arguments, the exit code, and what the message must say. */
const CASES: readonly (readonly [args: string, code: number, message: RegExp])[] = [
  ['', 2, /no command given\n.*qc --help/],
  ['complie tiny.onnx', 2, /unknown command "complie"\n.*Did you mean qc compile\?/],
  ['frobnicate', 2, /The commands are compile, run, inspect/],
  ['--json compile tiny.onnx', 2, /a command has to come before --json/],
  ['compile', 2, /qc compile needs a MODEL/],
  ['compile --debug tiny.onnx', 2, /--debug took "tiny.onnx" as its folder/],
  ['compile tiny.onnx --ops-to-quantise conv2d', 2, /unknown flag --ops-to-quantise\n.*--ops-to-quantize\?/],
  ['compile tiny.onnx --opsToQuantize conv2d', 2, /unknown flag --opsToQuantize/],
  ['compile tiny.onnx -x', 2, /unknown flag -x/],
  ['compile tiny.onnx --no-json', 2, /unknown flag --no-json/],
  ['compile tiny.onnx other.onnx', 2, /takes one MODEL, but also got other.onnx/],
  ['compile tiny.onnx -o', 2, /-o needs a value/],
  ['compile tiny.onnx --out=', 2, /--out needs a value/],
  ['compile tiny.onnx -o a -o b', 2, /--out was given 2 times/],
  ['compile tiny.onnx --batch 0', 2, /--batch takes a positive integer, not "0"/],
  ['compile tiny.onnx --batch x', 2, /--batch takes a positive integer/],
  ['compile tiny.onnx --target avx', 2, /unknown target "avx"/],
  ['compile tiny.onnx --precision int4', 2, /unknown precision "int4"/],
  ['compile tiny.onnx --fp32 --precision int8', 2, /contradict/],
  ['compile tiny.onnx --fp32 --op-ids-to-skip 3', 2, /everything in float/],
  ['compile tiny.onnx --ops-to-quantize conv3d', 2, /"conv3d".*\n.*Valid op types: .*conv2d/],
  ['compile tiny.onnx --op-ids-to-skip x', 2, /takes op ids such as 12,40, not "x"/],
  ['compile tiny.onnx --op-ids-to-skip -1', 2, /op-ids-to-skip/],
  ['compile tiny.onnx --op-ids-to-skip 99', 2, /no op with id 99/],
  ['compile tiny.onnx --input-shape 1x2', 2, /NAME=1x3x224x224, not "1x2"/],
  ['compile tiny.onnx --input-shape image/in=1x0', 2, /not "image\/in=1x0"/],
  ['compile tiny.onnx --input-value 1x2', 2, /takes NAME=1,2 or NAME=FILE, not "1x2"/],
  ['compile tiny.onnx --input-value k=1 --input-value k=2', 2, /given twice for "k"/],
  ['compile tiny.onnx --input-value k=1', 2, /no input "k"\n.*image\/in/],
  ['compile tiny.onnx --input-value k=none.npy', 4, /none.npy: cannot read/],
  ['compile tiny.onnx --input-value k=text.onnx', 2, /not "text.onnx"/],
  ['compile none.onnx', 4, /none.onnx: cannot read: no such file/],
  ['compile .', 2, /holds 6 models: .*tiny.onnx.*\n.*--model-file/],
  ['compile empty.onnx', 3, /empty.onnx: .*empty/],
  ['compile text.onnx', 3, /text.onnx: not an ONNX model/],
  ['compile cut.onnx', 3, /cut.onnx: /],
  ['compile random.onnx', 3, /random.onnx: /],
  ['compile unknown.onnx', 3, /unknown.onnx: [\s\S]*Foo[\s\S]*Bar/],
  ['compile tiny.onnx -o tiny.onnx', 4, /tiny.onnx: cannot create the folder: a file with this name/],
  ['compile tiny.onnx -o tiny.onnx/sub', 4, /cannot create the folder/],
  ['compile tiny.onnx -o /proc/qc', 4, /cannot create the folder/],
  ['compile tiny.onnx -o blocked', 4, /tiny.mjs: cannot write: a folder with this name/],
  ['inspect', 2, /qc inspect needs a MODEL\|MODULE/],
  ['inspect none.onnx', 4, /cannot read/],
  ['inspect text.onnx', 3, /not an ONNX model/],
  ['run', 2, /qc run needs a MODULE/],
  ['run none.wasm', 4, /cannot read/],
  ['run tiny.onnx', 3, /not a WebAssembly module\n.*qc compile makes it/],
];

test('errors: the exit code, one clear message, nothing on stdout, no file', async () => {
  await each(CASES, async ([args, code, message]) => {
    const { code: given, out, err } = await qc(args.split(' ').filter(Boolean), folder);
    assert.is(given, code, `qc ${args}: ${err}`);
    assert.match(err, message, `qc ${args}: ${err}`);
    assert.ok(err.startsWith('error: '), `qc ${args}: ${err}`);
    assert.not.match(err, /\n\s+at |Error:|undefined|\[object/, `qc ${args}: ${err}`);
    assert.is(out, '');
  });
  assert.equal(readdirSync(folder, { recursive: true }).map(String).sort(), before);
});

test('help and version go to stdout', async () => {
  for (const args of [['--help'], ['help'], ['-h']]) {
    const { code, out, err } = await qc(args, folder);
    assert.is(code, 0);
    assert.match(out, /qc compile \[MODEL\][\s\S]*qc run <MODULE>[\s\S]*Exit codes: 0 ok/);
    assert.is(err, '');
  }
  await each(['compile', 'run', 'inspect', 'preprocess', 'eval', 'diff', 'compare'], async (command) => {
    const { code, out } = await qc([command, '--help'], folder);
    assert.is(code, 0);
    assert.match(out, new RegExp(`Examples:\\n\\s+qc ${command} `));
  });
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  assert.is((await qc(['--version'], folder)).out, `${version}\n`);
});

test('every flag of the help is in docs/cli.md', async () => {
  const docs = readFileSync('docs/cli.md', 'utf8');
  for (const command of ['compile', 'run', 'inspect', 'preprocess', 'eval', 'bench', 'calibrate', 'diff', 'compare'])
    for (const [flag] of (await qc([command, '--help'], folder)).out.matchAll(/--[a-z][a-z0-9-]+/g))
      assert.ok(docs.includes(`\`${flag}`), `${flag} of qc ${command}`);
});

test('the stack is shown on request only; colours where asked for', async () => {
  const traced = await qc(['compile', 'none.onnx'], folder, { QC_TRACE: '1' });
  assert.match(traced.err, /\n\s+at /);
  const colored = await qc(['compile', 'none.onnx'], folder, { FORCE_COLOR: '1' });
  assert.ok(colored.err.startsWith('\x1b[31merror:'));
  const plain = await qc(['compile', 'none.onnx'], folder, { FORCE_COLOR: '1', NO_COLOR: '1' });
  assert.match(plain.err, /^error:/m);
  assert.ok(!plain.err.includes('\x1b'));
});

test.run();
