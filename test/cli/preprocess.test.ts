import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PNG } from 'pngjs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { resolvePreprocessing } from '../../src/data/image/preprocess.js';
import { random } from '../support/tensors.js';
import { COMMAND, type Outcome, qc } from './qc.js';

let folder = '';
const path = (name: string): string => join(folder, name);
const ok = async (...args: string[]): Promise<Outcome> => {
  const outcome = await qc(args, folder);
  assert.is(outcome.code, 0, outcome.err);
  return outcome;
};

/** A picture of noise as a PNG file, and its bytes R G B. */
function picture(width: number, height: number, seed: number): { file: Uint8Array; rgb: number[] } {
  const next = random(seed);
  const image = new PNG({ width, height });
  const rgb = Array.from({ length: width * height * 3 }, () => Math.floor(next() * 256));
  for (let i = 0; i < width * height; i++) image.data.set([...rgb.slice(3 * i, 3 * i + 3), 255], 4 * i);
  return { file: PNG.sync.write(image), rgb };
}

const COUNT = 12;
const pictures = Array.from({ length: COUNT }, (_, i) => picture(8, 8, i));

test.before(() => {
  folder = mkdtempSync(join(tmpdir(), 'qc-preprocess-'));
  mkdirSync(path('set/val'), { recursive: true });
  pictures.forEach(({ file }, i) => {
    writeFileSync(path(`set/val/${i}.png`), file);
  });
  writeFileSync(path('set/val_list.txt'), pictures.map((_, i) => `val/${i}.png ${100 + i}\n`).join(''));
  mkdirSync(path('bad/val/dir.jpg'), { recursive: true });
  writeFileSync(path('bad/val/good.png'), pictures[0].file);
  writeFileSync(path('bad/val/cut.png'), pictures[0].file.subarray(0, 60));
  writeFileSync(
    path('bad/val_list.txt'),
    ['dir.jpg 1', 'cut.png 2', 'good.png 3', 'none.png 4'].map((l) => `val/${l}`).join('\n'),
  );
  writeFileSync(path('unlabelled.txt'), 'val/0.png\n');
});
test.after(() => rmSync(folder, { recursive: true }));

const SAME_SIZE = ['--data-dim', '8', '--resize', '8', '--decoder', 'js'];

test('the command line of the original script: the list is named as it lies in the folder', async () => {
  const line = '--local --data_dir set --label_list val_list.txt --output_file old.bin --data_dim 8';
  await ok('preprocess', ...line.split(' '), '--resize', '8', '--decoder', 'js');
  await ok('preprocess', '--data-dir', 'set', '-o', 'new.bin', ...SAME_SIZE);
  assert.equal(readFileSync(path('old.bin')), readFileSync(path('new.bin')));
});

test('the f32 file is what Paddle reads: int64 count, pictures, int64 labels', async () => {
  const { err } = await ok('preprocess', '--data-dir', 'set', '-o', 'f32.bin', ...SAME_SIZE);
  assert.match(err, /wrote f32\.bin: 12 pictures, 8x8 f32/);
  const bytes = readFileSync(path('f32.bin'));
  assert.is(bytes.length, 8 + COUNT * (4 * 3 * 64 + 8));
  assert.is(bytes.readBigInt64LE(0), BigInt(COUNT));
  const { mean, std } = resolvePreprocessing({ name: '', dtype: 'f32', shape: [3, 8, 8] });
  for (const [i, { rgb }] of pictures.entries()) {
    assert.is(bytes.readBigInt64LE(bytes.length - 8 * COUNT + 8 * i), BigInt(100 + i));
    for (let c = 0; c < 3; c++)
      for (let p = 0; p < 64; p++) {
        // float32 pixels / 255, then the mean subtracted and the quotient taken in place, as NumPy does
        const expected = Math.fround(Math.fround(Math.fround(rgb[3 * p + c] / 255) - mean[c]) / std[c]);
        assert.is(bytes.readFloatLE(8 + 4 * ((3 * i + c) * 64 + p)), expected);
      }
  }
  const beside = JSON.parse(readFileSync(path('f32.bin.json'), 'utf8'));
  assert.match(beside.decoder, /jpeg-js/);
  assert.is(beside.names[3], 'val/3.png');
});

test('threads, underscores in names and the order of flags change nothing', async () => {
  await Promise.all(
    ['1', '2', '4'].map((n) =>
      ok('preprocess', '--data_dir', 'set', '--output_file', `t${n}.bin`, '--num_threads', n, '--local', ...SAME_SIZE),
    ),
  );
  for (const n of [1, 2, 4])
    assert.equal(readFileSync(path(`t${n}.bin`)), readFileSync(path('t1.bin')), `${n} threads`);
});

test('the u8 file is smaller, and the order can be shuffled', async () => {
  await ok(
    'preprocess',
    '--data-dir',
    'set',
    '-o',
    'u8.bin',
    '--dtype',
    'u8',
    '--shuffle',
    '--seed',
    '5',
    ...SAME_SIZE,
  );
  const bytes = readFileSync(path('u8.bin'));
  const at = Number(bytes.readBigUInt64LE(32));
  const header = JSON.parse(bytes.subarray(at).toString());
  const order = (header.names as string[]).map((name) => Number(/\d+/.exec(name)?.[0]));
  assert.equal(
    [...order].sort((a, b) => a - b),
    pictures.map((_, i) => i),
  );
  assert.not.equal(
    order,
    pictures.map((_, i) => i),
  );
  order.forEach((from, i) => {
    assert.is(bytes.readBigInt64LE(at - 8 * COUNT + 8 * i), BigInt(100 + from));
    assert.is(bytes[64 + i * 192], pictures[from].rgb[0]);
  });
});

test('pictures that cannot be read are all named, and left out on request', async () => {
  const args = ['preprocess', '--data-dir', 'bad', '-o', 'bad.bin', ...SAME_SIZE];
  const { code, err } = await qc(args, folder);
  assert.is(code, 3);
  assert.match(
    err,
    /3 of 4 pictures cannot be read:\n.*dir\.jpg: it is a folder.*\n.*cut\.png: .*damaged.*\n.*none\.png: .*no such file.*\n.*--skip-bad/,
  );
  assert.equal(
    readdirSync(folder).filter((name) => name.startsWith('bad.bin')),
    [],
  );
  const skipped = await ok(...args, '--skip-bad', '--json');
  assert.match(skipped.err, /wrote bad\.bin: 1 picture.*\n[\s\S]*left out 3/);
  assert.equal(
    JSON.parse(skipped.out).skipped.map((s: { name: string }) => s.name),
    ['val/dir.jpg', 'val/cut.png', 'val/none.png'],
  );
  assert.is(readFileSync(path('bad.bin')).readBigInt64LE(0), 1n);
});

test('a run that is killed leaves no file under the name, and goes on from where it was', async () => {
  mkdirSync(path('many'));
  const big = picture(700, 500, 1).file;
  writeFileSync(path('many/p.png'), big);
  writeFileSync(path('many/val_list.txt'), Array.from({ length: 60 }, (_, i) => `p.png ${i}\n`).join(''));
  const args = ['preprocess', '--data-dir', 'many', '--data-dim', '64', '--decoder', 'js', '--num-threads', '2'];
  const child = spawn(process.execPath, [COMMAND, ...args, '-o', 'killed.bin'], { cwd: folder, stdio: 'ignore' });
  const ended = new Promise((resolve) => child.on('close', resolve));
  const size = (): number => statSync(path('killed.bin.partial'), { throwIfNoEntry: false })?.size ?? 0;
  while (size() < 8 + 3 * 64 * 64 * 12) await new Promise((resolve) => setTimeout(resolve, 5));
  child.kill('SIGKILL');
  await ended;
  assert.not(existsSync(path('killed.bin')));
  writeFileSync(path('killed.bin.partial'), 'half a picture', { flag: 'a' });
  const { err, out } = await ok(...args, '-o', 'killed.bin', '--json');
  assert.match(err, /resumed .*after \d+ pictures/);
  assert.ok(JSON.parse(out).resumed >= 3);
  await ok(...args, '-o', 'whole.bin');
  assert.equal(readFileSync(path('killed.bin')), readFileSync(path('whole.bin')));
  assert.equal(
    readdirSync(folder).filter((name) => name.includes('partial')),
    [],
  );
});

test('an unfinished file of another task is not used', async () => {
  writeFileSync(path('other.bin.partial'), new Uint8Array(5000));
  writeFileSync(path('other.bin.partial.json'), JSON.stringify({ key: 'another', bad: [] }));
  await ok('preprocess', '--data-dir', 'set', '-o', 'other.bin', ...SAME_SIZE);
  assert.equal(readFileSync(path('other.bin')), readFileSync(path('f32.bin')));
});

test('errors name what is wrong', async () => {
  const cases: [string, number, RegExp][] = [
    ['preprocess', 2, /--data-dir says where the pictures are/],
    ['preprocess --data-dir none', 4, /none: no such folder/],
    ['preprocess --data-dir set/val', 2, /no list of pictures and labels.*\n.*--label-list/],
    [
      'preprocess --data-dir set --label-list unlabelled.txt',
      3,
      /unlabelled\.txt: picture 1, val\/0\.png, has no label/,
    ],
    ['preprocess --data-dir set --dtype f16', 2, /--dtype takes f32 or u8/],
    ['preprocess --data-dir set --mean 128 --std 128', 2, /--range 255/],
    ['preprocess --data-dir set --data-dim 9 --resize 8', 2, /does not fit into a short side of 8/],
    ['preprocess --data-dir set --data-dim 9 --resize 8x9', 2, /--resize 8x9 and --data-dim 9 contradict each other/],
    ['preprocess --data-dir set -o set', 4, /a folder with this name is in the way/],
    ['preprocess --data-dir set --decoder sharp', existsSync('node_modules/sharp') ? 0 : 2, /sharp/],
    ['preprocess set', 2, /takes flags only, but got set/],
    ['preprocess --data-dir set --seed 3', 2, /--seed goes with --shuffle/],
  ];
  for (const [args, code, message] of cases) {
    const { code: given, err } = await qc(args.split(' '), folder);
    assert.is(given, code, `${args}: ${err}`);
    assert.match(err, message);
  }
});

test.run();
