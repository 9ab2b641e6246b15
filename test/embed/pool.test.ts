/** createPool: an instance of the net in each of several workers. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compile } from '../../src/compile.js';
import type { Net } from '../../src/runtime/loader.js';
import type { poolOf } from '../../src/runtime/pool.js';
import { DIGITS } from '../support/models.js';
import { random } from '../support/network.js';
import { skipUnless } from '../support/skip.js';
import { ENGINES } from './engines.js';

type CreatePool = ReturnType<typeof poolOf>;

let folder = '';
let net: Net;
let createPool: CreatePool;

test.before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'qc-pool-'));
  const { files } = await compile(readFileSync(DIGITS), { name: 'digits', pool: true });
  for (const { name, data } of files) writeFileSync(join(folder, name), data);
  const load = async (file: string) => import(pathToFileURL(join(folder, file)).href);
  net = await ((await load('digits.mjs')) as { load(): Promise<Net> }).load();
  createPool = ((await load('digits.pool.mjs')) as { createPool: CreatePool }).createPool;
});
test.after(() => rmSync(folder, { recursive: true }));

const inputs = (seed: number): Record<string, Float32Array> => {
  const next = random(seed);
  const [{ name, shape }] = net.inputs as [Net['inputs'][number]];
  return { [name]: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, next) };
};

test('many calls over few workers give what one net gives, in order', async () => {
  const pool = await createPool(2);
  assert.is(pool.size, 2);
  const seeds = [1, 2, 3, 4, 5, 6, 7];
  const results = await Promise.all(seeds.map((seed) => pool.run(inputs(seed))));
  assert.equal(
    results,
    seeds.map((seed) => net.run(inputs(seed))),
  );
  pool.free();
});

test('errors of a call reject it alone; a source can be given', async () => {
  const pool = await createPool(1, new WebAssembly.Module(readFileSync(join(folder, 'digits.wasm'))));
  const wrong = pool.run({ nothing: new Float32Array(1) });
  const right = pool.run(inputs(8));
  await wrong.then(
    () => assert.unreachable('must reject'),
    (error: Error) => assert.match(error.message, /digits: there is no input "nothing"/),
  );
  assert.equal(await right, net.run(inputs(8)));
  pool.free();
});

test('wrong sizes, sources that cannot be read, and use after free', async () => {
  const rejects = async (promise: Promise<unknown>, message: RegExp): Promise<void> =>
    promise.then(
      () => assert.unreachable('must reject'),
      (error: Error) => assert.match(error.message, message),
    );
  await rejects(createPool(0), /digits: a pool has a positive number of workers, not 0/);
  await rejects(createPool(2, join(folder, 'missing.wasm')), /digits: cannot read .*missing.wasm/);
  const pool = await createPool(1);
  const pending = pool.run(inputs(1));
  const queued = pool.run(inputs(2));
  pool.free();
  for (const promise of [pending, queued, pool.run(inputs(3))]) await rejects(promise, /digits: the pool was freed/);
});

const PROGRAM = `
import { load } from './digits.mjs';
import { createPool } from './digits.pool.mjs';
const net = await load();
const [{ name, shape }] = net.inputs;
const inputs = (k) => ({ [name]: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => ((i * k) % 17) / 17) });
const pool = await createPool(2);
const seeds = [1, 2, 3, 4, 5];
const results = await Promise.all(seeds.map((k) => pool.run(inputs(k))));
pool.free();
const text = (outputs) => Object.values(outputs).map((data) => [...data].join());
console.log('results ' + JSON.stringify({ pool: results.map(text), net: seeds.map((k) => text(net.run(inputs(k)))) }));
`;

for (const engine of ENGINES.slice(1)) {
  const title = `pools in ${engine.name}`;
  if (!engine.script || !skipUnless(existsSync(engine.path), title, `${engine.path} is not installed`)) continue;
  test(title, async () => {
    const results = (await engine.script?.(folder, PROGRAM)) as { pool: string[][]; net: string[][] };
    assert.is(results.pool.length, 5);
    assert.equal(results.pool, results.net);
    assert.is(new Set(results.pool.flat()).size, 5);
  });
}

test.run();
