import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { decodeNpy, encodeNpy } from '../../src/data/npy.js';
import type { ModuleInfo } from '../../src/runtime/abi.js';
import type { Loader } from '../../src/runtime/loader.js';
import { tensorBytes } from '../support/onnx.js';
import { each, qc, SUM, TINY } from './qc.js';

let folder = '';
const path = (name: string): string => join(folder, name);
const ok = async (...args: string[]): Promise<{ out: string; err: string }> => {
  const { code, out, err } = await qc(args, folder);
  assert.is(code, 0, `qc ${args.join(' ')}: ${err}`);
  return { out, err };
};

test.before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'qc-cli-'));
  writeFileSync(path('tiny.v1.onnx'), TINY);
  writeFileSync(path('sum.onnx'), SUM);
  const f32 = (shape: number[], data: number[]) => encodeNpy({ dtype: 'f32', shape, data: Float32Array.from(data) });
  writeFileSync(path('x.npy'), f32([1, 1, 2, 2], [0, 1, 2, -3]));
  writeFileSync(path('x2.npy'), f32([2, 1, 2, 2], [0, 1, 2, -3, 0, 1, 2, -3]));
  writeFileSync(path('flat.npy'), f32([4], [0, 1, 2, -3]));
  writeFileSync(path('ints.npy'), encodeNpy({ dtype: 'i32', shape: [1, 1, 2, 2], data: new Int32Array(4) }));
  writeFileSync(path('ab.npy'), f32([1, 2], [1, 2]));
  writeFileSync(path('c.pb'), tensorBytes('c', { shape: [1, 2], data: [10, 20] }));
  writeFileSync(path('ab.pb'), tensorBytes('a=b', { shape: [1, 2], data: [1, 2] }));
  writeFileSync(path('c.bin'), new Uint8Array(Float32Array.of(10, 20).buffer));
  await Promise.all([ok('compile', 'tiny.v1.onnx', '-o', 'build'), ok('compile', 'sum.onnx', '-o', 'build')]);
});
test.after(() => rmSync(folder, { recursive: true }));

test('compile writes exactly the package', async () => {
  assert.equal(
    readdirSync(path('build')).sort(),
    ['sum', 'tiny.v1'].flatMap((name) => ['.d.ts', '.mjs', '.wasm'].map((end) => name + end)),
  );
  const { load } = (await import(pathToFileURL(path('build/tiny.v1.mjs')).href)) as Loader;
  const net = await load();
  const { probs } = net.run({ 'image/in': Float32Array.of(0, 1, 2, -3) });
  assert.is(probs?.[0], 0.5);
  assert.is(WebAssembly.Module.imports(new WebAssembly.Module(readFileSync(path('build/tiny.v1.wasm')))).length, 0);
});

test('compile tells a person on stderr and a program on stdout', async () => {
  const { out, err } = await ok('compile', 'tiny.v1.onnx', '-o', 'report', '--json');
  assert.match(err, /compiled tiny.v1.onnx .* to report\n\s+ops\s+1 int8, 1 float/);
  assert.match(err, /softmax \(7\): /);
  assert.match(err, /memory .*weights .*activations/);
  const report = JSON.parse(out) as { files: { path: string; bytes: number }[]; module: ModuleInfo };
  for (const file of report.files) assert.is(readFileSync(path(file.path)).length, file.bytes);
  assert.equal(report.module.entries[0]?.inputs[0]?.name, 'image/in');
  assert.is((await ok('compile', 'tiny.v1.onnx', '-o', 'report')).out, '');
});

test('--input-value makes constants of inputs, from numbers and files', async () => {
  const bound = ['--input-value', 'c=10,20'];
  await ok('compile', 'sum.onnx', '-o', 'bound', ...bound);
  await ok('run', 'bound/sum.wasm', '-i', 'ab.npy', '-o', 'bound');
  const [inText] = [readFileSync(path('bound/output_0.npy'))];
  assert.equal(Array.from(decodeNpy(inText).data as Float32Array), [11, 22]);
  await ok('compile', 'sum.onnx', '-o', 'bound', '--input-value', 'c=c.pb', '--input-value', 'a=b=[1, 2]');
  await ok('run', 'bound/sum.wasm', '-o', 'bound');
  assert.equal(readFileSync(path('bound/output_0.npy')), inText);
});

test('two compilations give the same bytes', async () => {
  await ok('compile', 'tiny.v1.onnx', '-o', 'again');
  for (const file of readdirSync(path('again')))
    assert.equal(readFileSync(path(`again/${file}`)), readFileSync(path(`build/${file}`)), file);
});

test('--debug writes a graph after each pass, --inline one file less', async () => {
  await ok('compile', 'tiny.v1.onnx', '-o', 'inline', '--inline', '--debug');
  assert.equal(readdirSync(path('inline')).sort(), ['tiny.v1.d.ts', 'tiny.v1.mjs']);
  const dumps = readdirSync(path('qc-debug'));
  assert.ok(dumps.some((name) => /^\d\d_quantize_placement\.dot$/.test(name)));
  assert.ok(dumps.every((name) => /^\d\d_[a-z_]+\.dot$/.test(name)));
  await ok('compile', 'tiny.v1.onnx', '-o', 'inline', '--debug', 'dumps/here');
  assert.equal(readdirSync(path('dumps/here')), dumps);
});

test('flags choose what is int8', async () => {
  const int8 = async (...flags: string[]): Promise<number[]> => {
    const { out } = await ok('inspect', 'tiny.v1.onnx', '--json', ...flags);
    const { module } = JSON.parse(out) as { module: ModuleInfo };
    return module.ops.filter((op) => op.int8 && !/quantize/.test(op.type)).map((op) => op.id);
  };
  assert.equal(await int8(), [3]);
  assert.equal(await int8('--op-ids-to-skip='), [3]);
  assert.equal(await int8('--op-ids-to-skip', '3'), []);
  assert.equal(await int8('--ops-to-quantize', 'fc', '--ops-to-quantize', 'conv2d,pool2d'), [3]);
  assert.equal(await int8('--ops-to-quantize', 'fc'), []);
  assert.equal(await int8('--fp32'), []);
});

test('inspect shows a model and a module alike', async () => {
  const model = await ok('inspect', 'tiny.v1.onnx');
  const module = await ok('inspect', 'build/tiny.v1.wasm');
  const head = (text: string): string => text.slice(text.indexOf('made by'), text.indexOf('\n\n'));
  assert.is(head(model.out), head(module.out));
  assert.match(module.out, / 7 {2}softmax +float +f32.*softmax has no int8 form/);
  assert.match(model.out, / 3 {2}conv2d .* fuse-activation +\+ relu \(4\) {2}"first"/);
  assert.match(model.out, /insert-quantize\/split-rounding +for conv2d \(3\) on codes, input "image\/in" gives reals/);
  assert.match(model.out, /^region 1 {2}1 conv2d; 1 quantize, 1 dequantize, 0 requantize: 12 elements converted$/m);
  assert.match(model.out, /int8 {2}1 op \(3\): a convolution or product is worth converting/);
  assert.match(model.out, /input +image\/in: f32 \[1, 1, 2, 2\], scale 0.0625, zero point 128/);
  assert.match(model.out, / 3 {2}conv2d +int8 +1 +u8\[1x2x2x2\] s=0.125 zp=0 .*relu \(4\) {2}"first"/);
  assert.match(model.out, / 7 {2}softmax +float +f32/);
  const { code, err } = await qc(['inspect', 'build/tiny.v1.wasm', '--fp32'], folder);
  assert.is(code, 2);
  assert.match(err, /--fp32 says how to compile/);
});

test('what is required to be int8 and is not ends with exit code 1 and the reasons', async () => {
  await ok('inspect', 'tiny.v1.onnx', '--require-int8', 'conv2d,fc');
  const required = ['--require-int8', 'Conv', '-o', 'required'];
  const failed = await qc(['compile', 'tiny.v1.onnx', '--op-ids-to-skip', '3', ...required], folder);
  assert.is(failed.code, 1);
  assert.match(failed.err, /1 op is not int8, as required:\n +conv2d \(3\) "first": skipped by id 3/);
  assert.not(existsSync(path('required')));
  const small = await qc(['compile', 'tiny.v1.onnx', '--min-region', '2', ...required], folder);
  assert.is(small.code, 1);
  assert.match(small.err, /its int8 region of 1 op is smaller than 2/);
  assert.is((await qc(['compile', 'tiny.v1.onnx', '--fp32', ...required], folder)).code, 2);
  assert.is((await qc(['inspect', 'tiny.v1.onnx', '--min-region', '0'], folder)).code, 2);
});

test('run writes output_<i>.npy and index.json', async () => {
  const { out, err } = await ok('run', 'build/tiny.v1.wasm', '--input', 'image/in=x.npy', '-o', 'r1', '--json');
  assert.equal(readdirSync(path('r1')).sort(), ['index.json', 'output_0.npy']);
  const index = JSON.parse(readFileSync(path('r1/index.json'), 'utf8'));
  assert.equal(index.outputs, [{ name: 'probs', file: 'output_0.npy', dtype: 'f32', shape: [1, 2, 2, 2] }]);
  assert.equal(JSON.parse(out).outputs, index.outputs);
  assert.match(err, /ran 1 item/);
  const { shape, data } = decodeNpy(readFileSync(path('r1/output_0.npy')));
  assert.equal(shape, [1, 2, 2, 2]);
  assert.is(data[0], 0.5);
});

test('run takes a batch', async () => {
  await ok('run', 'build/tiny.v1.wasm', '-i', 'x2.npy', '-o', 'r2');
  const { shape, data } = decodeNpy(readFileSync(path('r2/output_0.npy')));
  assert.equal(shape, [2, 2, 2, 2]);
  assert.equal([...data.subarray(0, 8)], [...data.subarray(8)]);
});

test('run gives files to inputs by flag, by the name inside, else in order', async () => {
  const ways = [
    ['a=b=ab.npy', 'c=c.bin'],
    ['c=c.pb', 'ab.npy'],
    ['c.pb', 'ab.npy'],
    ['ab.npy', 'c.bin'],
    ['c.pb', 'ab.pb'],
  ];
  await each(ways, async (inputs) => {
    const out = `sum-${inputs.join('-')}`;
    await ok('run', 'build/sum.wasm', ...inputs.flatMap((i) => ['-i', i]), '-o', out);
    assert.equal([...decodeNpy(readFileSync(path(`${out}/output_0.npy`))).data], [11, 22], inputs.join(' '));
  });
});

test('run explains wrong inputs and leaves nothing behind', async () => {
  const tiny = 'build/tiny.v1.wasm';
  const cut = readFileSync(path(tiny)).subarray(0, 500);
  writeFileSync(path('cut.wasm'), cut);
  writeFileSync(path('bad.npy'), 'hello');
  const cases: [args: string[], code: number, message: RegExp][] = [
    [[tiny], 2, /no data for input "image\/in"\n.*f32 \[1, 1, 2, 2\]/],
    [[tiny, '-i', 'imag/in=x.npy'], 2, /no input "imag\/in"\n.*Did you mean "image\/in"\?/],
    [[tiny, '-i', 'x.npy', '-i', 'x.npy'], 2, /x.npy is one --input too many/],
    [[tiny, '-i', 'image/in=x.npy', '-i', 'image/in=x.npy'], 2, /given twice/],
    [[tiny, '-i', 'none.npy'], 4, /none.npy: cannot read/],
    [[tiny, '-i', 'bad.npy'], 3, /bad.npy: not a .npy file/],
    [[tiny, '-i', 'flat.npy'], 3, /flat.npy: holds f32 \[4\], but input "image\/in" takes f32 \[1, 1, 2, 2\]/],
    [[tiny, '-i', 'ints.npy'], 3, /ints.npy: holds i32 /],
    [[tiny, '-i', 'c.bin'], 3, /8 bytes are not raw data of f32 \[1, 1, 2, 2\], which has 16 bytes/],
    [['cut.wasm', '-i', 'x.npy'], 3, /cut.wasm: .*truncated/],
    [[tiny, '-i', 'x.npy', '-o', 'x.npy'], 4, /cannot create the folder/],
  ];
  await each(cases, async ([args, code, message]) => {
    const target = args.includes('-o') ? [] : ['-o', 'bad'];
    const { code: given, out, err } = await qc(['run', ...args, ...target], folder);
    assert.is(given, code, `${args.join(' ')}: ${err}`);
    assert.match(err, message);
    assert.not.match(err, /\n\s+at /);
    assert.is(out, '');
  });
  assert.not(readdirSync(folder).includes('bad'));
});

test('the self-test passes, and fails for a module that was tampered with', async () => {
  assert.match((await ok('run', 'build/tiny.v1.wasm', '--self-test')).err, /passed self-test/);
  const text = readFileSync(path('build/tiny.v1.wasm')).toString('latin1');
  const changed = text.replace(/"fnv1a":"(.)/, (_, c) => `"fnv1a":"${c === '0' ? '1' : '0'}`);
  assert.is.not(changed, text);
  writeFileSync(path('changed.wasm'), Buffer.from(changed, 'latin1'));
  const { code, err } = await qc(['run', 'changed.wasm', '--self-test'], folder);
  assert.is(code, 1);
  assert.match(err, /self-test failed: "probs" differs/);
});

test.run();
