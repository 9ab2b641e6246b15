/** The declarations of a package with pictures, labels, a pool and threads, as a program of its user sees them. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compile } from '../../src/compile.js';
import { DIGITS, ROOT } from '../support/models.js';

const USER = `
import { type Class, type Inputs, load, type ThreadedNet } from './out/digits.mjs';
import { createPool } from './out/digits.pool.mjs';
import { load as loadImported } from './digits.onnx?qc';
const net = await load({ warmUp: true });
const picture = { data: new Uint8ClampedArray(4), width: 1, height: 1 };
const classes: Class[] = net.classify(picture, { topK: 3 });
export const label: string | undefined = classes[0]?.label;
export const scores: Float32Array = net.run({ image: [picture, picture] }).logits;
export const view: Uint8Array = net.input('image');
const given: Inputs = { image: picture };
const pool = await createPool(2);
export const pooled: Float32Array = (await pool.run(given)).logits;
export const names: string[] = (await loadImported()).inputs.map((input) => input.name);
const threaded: ThreadedNet = await load({ threads: 2 });
export const awaited: Float32Array = (await threaded.run(given)).logits;
export const later: Promise<Class[]> = threaded.classify(picture);
export const finished: Promise<void> = (await load(new Uint8Array(8), { threads: true })).runInPlace();
export const count: number = threaded.threads;
// @ts-expect-error a run of several threads is a promise
threaded.run(given).logits;
// @ts-expect-error a tensor is no picture
net.run({ image: new Float32Array(1) });
// @ts-expect-error a pool has a size
createPool();
`;

test('pictures, labels, pools, threads and imports of plugins are typed', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'qc-types-'));
  try {
    mkdirSync(join(folder, 'out'));
    const labels = Array.from({ length: 10 }, (_, i) => `digit ${i}`);
    const options = { name: 'digits', labels, pool: true, threads: true, imageInput: { mean: [0], std: [1] } };
    const { files } = await compile(readFileSync(DIGITS), options);
    for (const { name, data } of files) writeFileSync(join(folder, 'out', name), data);
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    writeFileSync(join(folder, 'user.ts'), USER);
    const flags = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2022', '--lib', 'es2023,dom'];
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
    const sources = ['user.ts', 'out/digits.d.ts', join(ROOT, 'src/plugin/client.d.ts')];
    const { status, stdout } = spawnSync(process.execPath, [tsc, ...flags, ...sources], {
      cwd: folder,
      encoding: 'utf8',
    });
    assert.is(status, 0, stdout);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test.run();
