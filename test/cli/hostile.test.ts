/** The command on files that are no model, on disks that are full, and interrupted: exit codes, nothing left behind. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { externalFields, type ModelSpec, model } from '../support/onnx.js';
import { skipUnless } from '../support/skip.js';
import { COMMAND, qc, TINY } from './qc.js';

let folder = '';
const path = (name: string): string => join(folder, name);

const WEIGHTS = new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer);
const withWeights = (location: string): ModelSpec => ({
  inputs: { x: [1, 4] },
  outputs: ['y'],
  initializers: { c: { shape: [4], fields: externalFields(location, 0, 16) } },
  nodes: [{ op: 'Add', inputs: ['x', 'c'], outputs: ['y'] }],
});

test.before(() => {
  folder = mkdtempSync(join(tmpdir(), 'qc-hostile-'));
  mkdirSync(path('models/deep'), { recursive: true });
  writeFileSync(path('tiny.onnx'), TINY);
  writeFileSync(path('outside.bin'), WEIGHTS);
  writeFileSync(path('models/beside.bin'), WEIGHTS);
  writeFileSync(path('models/deep/below.bin'), WEIGHTS);
  symlinkSync('../outside.bin', path('models/link.bin'));
  symlinkSync('beside.bin', path('models/inner.bin'));
  symlinkSync('..', path('models/up'));
});
test.after(() => rmSync(folder, { recursive: true }));

/** Compiles a file that must be refused: one message, no trace, no output. */
async function refused(file: string, code: number, pattern: RegExp): Promise<void> {
  const result = await qc(['compile', file, '-o', 'out'], folder);
  assert.is(result.code, code, result.err);
  assert.match(result.err, pattern);
  assert.not.match(result.err, /\n\s+at /);
  assert.not(existsSync(path('out')), 'something was written');
}

test('no model: exit code 3', async () => {
  writeFileSync(path('empty.onnx'), '');
  writeFileSync(path('picture.onnx'), Uint8Array.of(0xff, 0xd8, 0xff, 0xe0, 0, 16));
  await Promise.all([
    refused('empty.onnx', 3, /empty.onnx: not an ONNX model: it is empty/),
    refused('picture.onnx', 3, /picture.onnx: not an ONNX model/),
  ]);
});

test('weights beside the model, also in folders below it and through links that stay there', async () => {
  for (const location of ['beside.bin', 'deep/below.bin', 'inner.bin']) {
    writeFileSync(path('models/net.onnx'), model(withWeights(location)));
    const { code, err } = await qc(['compile', 'models/net.onnx', '-o', 'good'], folder);
    assert.is(code, 0, err);
  }
});

test('weights elsewhere are refused, missing ones are named', async () => {
  for (const [location, code, pattern] of [
    ['../outside.bin', 3, /not a file beside the model/],
    ['/etc/hostname', 3, /not a file beside the model/],
    ['link.bin', 3, /a link that leads out of its folder/],
    ['up/outside.bin', 3, /a link that leads out of its folder/],
    ['missing.bin', 4, /missing.bin: .*cannot read: no such file/],
    ['deep', 4, /cannot read: it is no regular file/],
  ] as const) {
    writeFileSync(path('models/net.onnx'), model(withWeights(location)));
    await refused('models/net.onnx', code, pattern);
  }
});

test('an output folder that cannot be: exit code 4', async () => {
  writeFileSync(path('file'), 'a file');
  for (const out of ['file', 'file/below']) {
    const { code, err } = await qc(['compile', 'tiny.onnx', '-o', out], folder);
    assert.is(code, 4, err);
    assert.match(err, /cannot create the folder/);
  }
});

if (skipUnless(existsSync('/dev/full'), 'a result that cannot be written', 'there is no /dev/full'))
  test('a result that cannot be written: exit code 4', () => {
    const command = `"${process.execPath}" "${COMMAND}" inspect tiny.onnx --json > /dev/full 2> full.txt; echo $?`;
    assert.is(execFileSync('sh', ['-c', command], { cwd: folder, encoding: 'utf8' }), '4\n');
    assert.not.match(execFileSync('cat', ['full.txt'], { cwd: folder, encoding: 'utf8' }), /\n\s+at /);
  });

/** Whether a small file system can be mounted in a folder, which only root may. */
function mountSmall(at: string): boolean {
  mkdirSync(at);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4k', 'tmpfs', at], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

test('a full disk: exit code 4, nothing half-written', async () => {
  const disk = path('disk');
  if (!skipUnless(mountSmall(disk), 'a full disk', 'no right to mount a file system')) return;
  try {
    const { code, err } = await qc(['compile', 'tiny.onnx', '-o', 'disk/out'], folder);
    assert.is(code, 4, err);
    assert.match(err, /no space left/);
    assert.equal(readdirSync(disk), []);
  } finally {
    execFileSync('umount', [disk]);
  }
});

test('interrupted: exit code 130, nothing half-written', async () => {
  const chain = Array.from({ length: 3000 }, (_, i) => ({
    op: i % 2 ? 'Relu' : 'Neg',
    inputs: [i === 0 ? 'x' : `v${i - 1}`],
    outputs: [`v${i}`],
  }));
  writeFileSync(path('long.onnx'), model({ inputs: { x: [1, 4] }, outputs: ['v2999'], nodes: chain }));
  const child = spawn(process.execPath, [COMMAND, 'compile', 'long.onnx', '-o', 'cut'], { cwd: folder });
  const ended = new Promise<[number | null, string | null]>((resolve) => {
    child.on('close', (code, signal) => resolve([code, signal]));
  });
  await new Promise((resolve) => setTimeout(resolve, 400));
  child.kill('SIGINT');
  const [code, signal] = await ended;
  // before the command has started, the signal itself ends the process: a shell says 130 then too
  assert.ok(code === 130 || signal === 'SIGINT', `code ${code}, signal ${signal}`);
  assert.not(existsSync(path('cut')));
});

test.run();
