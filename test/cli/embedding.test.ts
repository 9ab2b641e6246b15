/** Flags of packages, as a user gives them. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DIGITS } from '../support/models.js';
import { qc } from './qc.js';

let folder = '';
test.before(() => {
  folder = mkdtempSync(join(tmpdir(), 'qc-embedding-'));
});
test.after(() => rmSync(folder, { recursive: true }));

test('pixels, labels and a pool', async () => {
  const labels = Array.from({ length: 10 }, (_, i) => `digit ${i}`);
  writeFileSync(join(folder, 'labels.txt'), `${labels.join('\r\n')}\r\n`);
  const image = 'image,mean=0,std=1,largest=64x48';
  const flags = ['-o', 'out', '--image-input', image, '--labels', 'labels.txt', '--pool'];
  const { code, err } = await qc(['compile', DIGITS, ...flags], folder);
  assert.is(code, 0, err);
  assert.equal(readdirSync(join(folder, 'out')).sort(), [
    'digits.d.ts',
    'digits.mjs',
    'digits.pool.mjs',
    'digits.wasm',
    'digits.worker.mjs',
  ]);
  const { load } = (await import(pathToFileURL(join(folder, 'out/digits.mjs')).href)) as {
    load(): Promise<{ classify(picture: object, options: object): { label: string }[] }>;
  };
  const picture = { data: new Uint8Array(4 * 64 * 48), width: 64, height: 48 };
  const [best] = (await load()).classify(picture, { topK: 1 });
  assert.ok(labels.includes(best!.label));
  const check = await qc(['run', 'out/digits.wasm', '--self-test'], folder);
  assert.is(check.code, 0, check.err);
});

test('modules for several threads are run, checked and measured on one', async () => {
  const compiled = await qc(['compile', DIGITS, '-o', 'shared', '--threads'], folder);
  assert.is(compiled.code, 0, compiled.err);
  assert.ok(readdirSync(join(folder, 'shared')).includes('digits.thread.mjs'));
  writeFileSync(join(folder, 'image.raw'), new Float32Array(784).fill(0.5));
  const commands = [
    ['run', 'shared/digits.wasm', '--self-test'],
    ['run', 'shared/digits.wasm', '--input', 'image.raw', '-o', 'ran'],
    ['bench', 'shared/digits.wasm', '--rounds', '1'],
  ];
  for (const command of commands) {
    const { code, err } = await qc(command, folder);
    assert.is(code, 0, `${command.join(' ')}: ${err}`);
  }
  assert.ok(readdirSync(join(folder, 'ran')).includes('output_0.npy'));
});

test('what does not fit is a usage error that says why', async () => {
  writeFileSync(join(folder, 'short.txt'), 'a\nb\n');
  const cases: [string[], number, RegExp][] = [
    [['--image-input', 'photo'], 2, /no input "photo" for images; the inputs are "image"/],
    [['--image-input', 'image,resize=cubic'], 2, /resize takes bilinear or none, not "cubic"/],
    [['--image-input', 'image,crop=3'], 2, /knows no "crop"[\s\S]*mean, std, range, order/],
    [['--labels', 'short.txt'], 2, /2 labels for output "logits" of 10 elements/],
    [['--labels', 'missing.txt'], 4, /missing\.txt: cannot read/],
    [['--target', 'fast'], 2, /unknown target "fast"[\s\S]*simd, relaxed, both/],
    [['--threads', '--profile'], 2, /a profile is of one thread[\s\S]*without threads/],
    [['--fibres'], 2, /unknown flag --fibres/],
  ];
  for (const [flags, expected, message] of cases) {
    const { code, err } = await qc(['compile', DIGITS, '-o', 'none', ...flags], folder);
    assert.is(code, expected, `${flags.join(' ')}: ${err}`);
    assert.match(err, message);
  }
  assert.not(readdirSync(folder).includes('none'));
});

test.run();
