/** load({ threads }): a run that several workers share, in every engine. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compile } from '../../src/compile.js';
import type { Net } from '../../src/runtime/loader.js';
import { generate } from '../../tools/zoo/zoo.js';
import { skipUnless } from '../support/skip.js';
import { ENGINES } from './engines.js';

type Inputs = Readonly<Record<string, Float32Array>>;
interface ThreadedNet extends Omit<Net, 'run' | 'runInPlace'> {
  readonly threads: number;
  run(inputs: Inputs): Promise<Record<string, Float32Array>>;
  runInPlace(): Promise<void>;
  classify(inputs: Inputs, options?: object): Promise<readonly { index: number }[]>;
}

const folder = mkdtempSync(join(tmpdir(), 'qc-threads-'));
let load: (...args: unknown[]) => Promise<ThreadedNet>;

test.before(async () => {
  const labels = Array.from({ length: 10 }, (_, i) => `class ${i}`);
  for await (const { bytes } of generate('resnet50', { size: 64, width: 0.25, classes: 10 }, ['s8']))
    for (const target of ['simd', 'both'] as const) {
      const { files } = await compile(bytes, { name: target, target, labels, threads: true });
      for (const { name, data } of files) writeFileSync(join(folder, name), data);
    }
  ({ load } = await import(pathToFileURL(join(folder, 'simd.mjs')).href));
});
test.after(() => rmSync(folder, { recursive: true }));

const inputsFor = ({ inputs }: Pick<Net, 'inputs'>, k: number): Inputs =>
  Object.fromEntries(
    inputs.map(({ name, shape }) => [
      name,
      Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => ((i * k) % 17) / 17),
    ]),
  );

const rejects = async (promise: Promise<unknown>, message: RegExp, kind: ErrorConstructor = Error): Promise<void> =>
  promise.then(
    () => assert.unreachable('must reject'),
    (error: Error) => {
      assert.match(error.message, message);
      assert.is(error.constructor, kind);
    },
  );

test('a package of threads has a file for their workers', () => {
  assert.equal(
    readdirSync(folder)
      .filter((name) => name.startsWith('simd'))
      .sort(),
    ['simd.d.ts', 'simd.mjs', 'simd.thread.mjs', 'simd.wasm'],
  );
});

test('without the option a net has one thread and gives results at once; with it, promises', async () => {
  const plain = await load();
  const expected = plain.run(inputsFor(plain, 3)) as unknown as Record<string, Float32Array>;
  assert.instance(Object.values(expected)[0], Float32Array);
  for (const threads of [1, 2, true]) {
    const net = await load({ threads });
    const promise = net.run(inputsFor(net, 3));
    assert.instance(promise, Promise);
    assert.equal(await promise, expected);
    net.input(net.inputs[0]!.name).set(inputsFor(net, 3)[net.inputs[0]!.name] as never);
    await net.runInPlace();
    assert.equal([...net.output(net.outputs[0]!.name)], [...Object.values(expected)[0]!]);
    const classes = await net.classify(inputsFor(net, 3), { topK: 3 });
    assert.equal(classes, (plain as unknown as ThreadedNet).classify(inputsFor(net, 3), { topK: 3 }));
    net.free();
  }
  plain.free();
});

test('a batch is one call; calls are computed in their order, and warmed-up nets give the same', async () => {
  const plain = await load();
  const net = await load({ threads: 2, warmUp: true });
  const seeds = [1, 2, 3, 4, 5];
  const all = seeds.map((k) => inputsFor(net, k));
  const key = net.inputs[0]!.name;
  const batch = { [key]: Float32Array.from(all.flatMap((feed) => [...feed[key]!])) };
  const finished: number[] = [];
  const results = await Promise.all(
    [...all, batch].map(async (feed, i) => {
      const result = await net.run(feed);
      finished.push(i);
      return result;
    }),
  );
  assert.equal(results, await Promise.all([...all, batch].map((feed) => plain.run(feed))));
  assert.equal(finished, [0, 1, 2, 3, 4, 5]);
  net.free();
  plain.free();
});

test('wrong use: numbers of threads, inputs, calls after free, workers that are not there', async () => {
  for (const threads of [0, 65, 1.5, '2', null])
    await rejects(load({ threads }), /simd: threads is true or a number from 1 to 64/, RangeError);
  const net = await load({ threads: 2 });
  await rejects(net.run({ nothing: new Float32Array(1) }), /simd: there is no input "nothing"/, TypeError);
  await rejects(net.run({ [net.inputs[0]!.name]: new Float32Array(1) }), /simd: .* was given 1 elements/, RangeError);
  await rejects(net.run({ [net.inputs[0]!.name]: (() => 0) as never }), /could not be cloned/, DOMException as never);
  const [running, queued] = [net.run(inputsFor(net, 1)), net.run(inputsFor(net, 2))];
  net.free();
  await rejects(running, /simd: the net was freed/);
  await rejects(queued, /simd: the net was freed/);
  await rejects(net.run(inputsFor(net, 1)), /simd: the net was freed/);
  await rejects(net.runInPlace(), /simd: the net was freed/);
  net.free();
  writeFileSync(
    join(folder, 'lost.mjs'),
    readFileSync(join(folder, 'simd.mjs'), 'utf8').replaceAll('simd.thread', 'lost.thread'),
  );
  const { load: loadLost } = await import(pathToFileURL(join(folder, 'lost.mjs')).href);
  assert.is((await loadLost({ threads: 1 })).threads, 1);
  await rejects(loadLost({ threads: 2 }), /simd: a thread failed: .*lost/);
});

test('an engine without workers, such as workerd, has one thread', async () => {
  const text = readFileSync(join(folder, 'simd.mjs'), 'utf8');
  assert.match(text, /node:worker_threads/);
  writeFileSync(join(folder, 'alone.mjs'), text.replace('node:worker_threads', 'node:no_workers'));
  const { load: loadAlone } = await import(pathToFileURL(join(folder, 'alone.mjs')).href);
  const [net, plain] = [await loadAlone({ threads: 2 }), await load()];
  assert.is(net.threads, 1);
  assert.equal(await net.run(inputsFor(net, 2)), await plain.run(inputsFor(plain, 2)));
});

const PROGRAM = `
import { load } from './simd.mjs';
import { load as loadBoth } from './both.mjs';
const plain = await load();
const { name, shape } = plain.inputs[0];
const inputs = (k) => ({ [name]: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => ((i * k) % 17) / 17) });
const text = (outputs) => Object.values(outputs).map((data) => [...data].join()).join();
const seeds = [1, 2, 3];
const results = { plain: seeds.map((k) => text(plain.run(inputs(k)))), threads: [], shared: typeof SharedArrayBuffer !== 'undefined' };
for (const [build, from] of [['simd', load], ['both', loadBoth]])
  for (const threads of [1, 2, 3]) {
    const net = await from({ threads });
    const outputs = await Promise.all(seeds.map((k) => net.run(inputs(k))));
    const wrong = await net.run({}).then(() => 'none', (error) => error.message);
    net.free();
    const late = await net.run(inputs(1)).then(() => 'none', (error) => error.message);
    results.threads.push({ build, asked: threads, threads: net.threads, outputs: outputs.map(text), wrong, late });
  }
console.log('results ' + JSON.stringify(results));
`;

interface Found {
  readonly plain: readonly string[];
  readonly shared: boolean;
  readonly threads: readonly {
    readonly build: string;
    readonly asked: number;
    readonly threads: number;
    readonly outputs: readonly string[];
    readonly wrong: string;
    readonly late: string;
  }[];
}

for (const engine of ENGINES) {
  const title = `threads in ${engine.name}`;
  if (!engine.script || !skipUnless(existsSync(engine.path), title, `${engine.path} is not installed`)) continue;
  test(title, async () => {
    const found = (await engine.script?.(folder, PROGRAM)) as Found;
    assert.is(new Set(found.plain).size, 3);
    // a page that is not cross-origin isolated cannot share memory
    assert.is(found.shared, engine.name !== 'Chromium');
    assert.is(found.threads.length, 6);
    for (const { build, asked, threads, outputs, wrong, late } of found.threads) {
      assert.equal(outputs, found.plain, `${build}, ${asked} threads`);
      assert.is(threads, found.shared ? asked : 1);
      assert.match(wrong, new RegExp(`${build}: input .* was given nothing`));
      assert.match(late, new RegExp(`${build}: the net was freed`));
    }
  });
}

test.run();
