/** Packages for both targets: which module runs, what is shared, and what goes wrong. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type CompileResult, compile } from '../../src/compile.js';
import { applyDelta, writeDelta } from '../../src/runtime/delta.js';
import type { Loader } from '../../src/runtime/loader.js';
import '../support/relaxed.js';
import { DIGITS } from '../support/models.js';
import { type Grid, Network, random } from '../support/network.js';
import { blockModel } from './workspace.js';

const S8: Grid = { dtype: 'i8', scale: 0.02, zeroPoint: 0 };

/** Wide layers of odd sizes: most of the module is weights. */
function wideModel(seed: number): Uint8Array {
  const net = new Network(seed);
  const conv = (x: string, n: number, c: number, k = 1): string =>
    net.op('Conv', [x, net.weights([n, c, k, k], { axis: 0, scale: 0.004 }), net.values([n])]);
  const a = net.fake(net.op('Relu', [conv(net.fake(net.input('x', [1, 3, 9, 9]), S8), 50, 3)]), S8);
  const b = net.fake(net.op('Relu', [conv(a, 34, 50, 3)]), S8);
  const flat = net.op('Reshape', [net.fake(net.op('Relu', [conv(b, 7, 34)]), S8), net.ints([1, 343])]);
  return net.bytes([net.fake(net.op('Gemm', [flat, net.weights([343, 90], { axis: 1 }), net.values([90])]), S8)]);
}

const fileOf = (result: CompileResult, name: string): Uint8Array =>
  result.files.find((file) => file.name === name)!.data as Uint8Array;

let folder = '';
test.before(() => {
  folder = mkdtempSync(join(tmpdir(), 'qc-both-'));
});
test.after(() => rmSync(folder, { recursive: true }));

async function emit(result: CompileResult): Promise<Loader> {
  for (const { name, data } of result.files) writeFileSync(join(folder, name), data);
  const entry = result.files.find(({ name }) => name.endsWith('.mjs'))!.name;
  return (await import(pathToFileURL(join(folder, entry)).href)) as Loader;
}

/** Loads a package and gives the outputs on seeded inputs, and the target of the module that was compiled. */
async function run({ load }: Loader): Promise<{ target: string; outputs: unknown }> {
  const compiled: string[] = [];
  const { compile: original } = WebAssembly;
  WebAssembly.compile = async (bytes) => {
    const module = await original(bytes);
    const [section] = WebAssembly.Module.customSections(module, 'qc');
    compiled.push((JSON.parse(new TextDecoder().decode(section)) as { target: string }).target);
    return module;
  };
  try {
    const net = await load();
    const next = random(3);
    const feeds = net.inputs.map(({ name, shape }) => [
      name,
      Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, next),
    ]);
    return { target: compiled.join(), outputs: net.run(Object.fromEntries(feeds) as never) };
  } finally {
    WebAssembly.compile = original;
  }
}

test('the relaxed module is the one chosen, with equal results and shared weights', async () => {
  for (const [i, model] of [blockModel(), wideModel(4)].entries()) {
    const simd = await compile(model, { name: `simd${i}` });
    const both = await compile(model, { name: `both${i}`, target: 'both' });
    assert.equal(
      both.files.map((file) => file.name),
      [`both${i}.wasm`, `both${i}.relaxed.bin`, `both${i}.mjs`, `both${i}.d.ts`],
    );
    const [expected, actual] = [await run(await emit(simd)), await run(await emit(both))];
    assert.is(expected.target, 'simd');
    assert.is(actual.target, 'relaxed');
    assert.equal(actual.outputs, expected.outputs);
    const inline = await compile(model, { name: `inline${i}`, target: 'both', inline: true });
    assert.equal(
      inline.files.map((file) => file.name),
      [`inline${i}.mjs`, `inline${i}.d.ts`],
    );
    assert.equal(await run(await emit(inline)), actual);
  }
});

test('weights are stored once', async () => {
  const model = wideModel(5);
  const relaxed = await compile(model, { name: 'm', target: 'relaxed' });
  const both = await compile(model, { name: 'm', target: 'both' });
  const delta = fileOf(both, 'm.relaxed.bin');
  const weights = 34 * 50 * 9 + 343 * 90;
  // what is left is code, scales and the description
  assert.ok(delta.length < relaxed.wasm.length - 0.95 * weights, `${delta.length} of ${relaxed.wasm.length}`);
  assert.ok(applyDelta(both.wasm, delta)!.length > weights);
});

test('where no layer gains there is one module', async () => {
  const result = await compile(readFileSync(DIGITS), { name: 'digits', target: 'both' });
  assert.equal(
    result.files.map((file) => file.name),
    ['digits.wasm', 'digits.mjs', 'digits.d.ts'],
  );
  assert.match(result.notes.join(), /no layer gains from relaxed SIMD/);
});

test('a module of the caller is run as it is', async () => {
  const result = await compile(blockModel(), { name: 'own', target: 'both' });
  const { load, loadSync } = await emit(result);
  const module = new WebAssembly.Module(result.wasm as Uint8Array<ArrayBuffer>);
  assert.equal((await load(module)).inputs, loadSync(module).inputs);
});

test('files of different compilations are refused', async () => {
  const first = await compile(wideModel(6), { name: 'mixed', target: 'both' });
  const { load } = await emit(first);
  const second = await compile(wideModel(7), { name: 'mixed', target: 'both' });
  for (const wasm of [second.wasm, first.wasm.subarray(0, 999)]) {
    writeFileSync(join(folder, 'mixed.wasm'), wasm);
    await load().then(
      () => assert.unreachable('must be refused'),
      (error: Error) => assert.match(error.message, /mixed.wasm and mixed.relaxed.bin are not of one compilation/),
    );
  }
  rmSync(join(folder, 'mixed.relaxed.bin'));
  await load().then(
    () => assert.unreachable('must be refused'),
    (error: Error) => assert.match(error.message, /mixed: cannot read .*mixed.relaxed.bin/),
  );
});

test('deltas give the module back', () => {
  const bytes = fc.uint8Array({ minLength: 20, maxLength: 60 });
  fc.assert(
    fc.property(bytes, bytes, fc.nat(19), (base, module, at) => {
      const shared = base.subarray(at + 1, at + 5);
      const whole = Uint8Array.from([...module, ...shared, ...module]);
      const pieces = [
        { start: 0, length: module.length },
        ...(shared.length > 0 ? [{ start: at + 1, length: shared.length }] : []),
        { start: 0, length: module.length },
      ];
      assert.equal(applyDelta(base, writeDelta(base, 3, whole, pieces)), whole);
    }),
  );
});

test.run();
