import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openModel } from '../../src/host/open-model.js';
import { QcError } from '../../src/support/errors.js';
import { recordFiles } from '../../src/support/model-files.js';

let folder = '';
test.before.each(() => {
  folder = mkdtempSync(join(tmpdir(), 'qc-model-'));
});
test.after.each(() => rmSync(folder, { recursive: true, force: true }));

const put = (name: string): void => writeFileSync(join(folder, name), basename(name));
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

const fails = (action: () => unknown, kind: string, message: RegExp): void => {
  try {
    action();
  } catch (error) {
    assert.instance(error, QcError);
    assert.is((error as QcError).kind, kind);
    assert.match((error as QcError).format(), message);
    return;
  }
  assert.unreachable(`should fail with ${message}`);
};

test('a file is opened with the files beside it', () => {
  put('net.onnx');
  put('net.data');
  const { files, file, name } = openModel(join(folder, 'net.onnx'));
  assert.is(name, 'net');
  assert.is(file, join(folder, 'net.onnx'));
  assert.is(textOf(files.bytes), 'net.onnx');
  assert.is(textOf(files.read('net.data')), 'net.data');
  assert.is(textOf(files.read('./net.data')), 'net.data');
  assert.equal(files.names, ['net.data', 'net.onnx']);
});

test('a folder is opened at its model and named after itself', () => {
  mkdirSync(join(folder, 'det'));
  put('det/inference.pdmodel');
  put('det/other.onnx');
  for (const path of [join(folder, 'det'), join(folder, 'det/')]) {
    const { file, name } = openModel(path);
    assert.is(name, 'det');
    assert.is(file, join(path, 'inference.pdmodel'));
  }
  assert.is(textOf(openModel(join(folder, 'det'), 'other.onnx').files.bytes), 'other.onnx');
  mkdirSync(join(folder, 'old'));
  put('old/__model__');
  assert.is(openModel(join(folder, 'old')).file, join(folder, 'old/__model__'));
  mkdirSync(join(folder, 'one'));
  put('one/net.onnx');
  put('one/readme.txt');
  assert.is(openModel(join(folder, 'one')).file, join(folder, 'one/net.onnx'));
});

test('a folder without one clear model is an error', () => {
  fails(() => openModel(folder), 'model', /holds no model[\s\S]*--model-file/);
  put('a.onnx');
  put('b.onnx');
  fails(() => openModel(folder), 'usage', /holds 2 models: a\.onnx, b\.onnx/);
  fails(() => openModel(join(folder, 'a.onnx'), 'b.onnx'), 'usage', /is a file/);
  fails(() => openModel(join(folder, 'none')), 'io', /no such file/);
  fails(() => openModel(folder, 'none'), 'io', /no such file/);
});

test('reading is confined to the folder of the model', () => {
  mkdirSync(join(folder, 'in'));
  put('secret');
  put('in/net.onnx');
  const { files } = openModel(join(folder, 'in/net.onnx'));
  for (const name of ['../secret', '/etc/hostname', 'a/../../secret', '..\\secret', 'C:\\secret', '', 'net\0'])
    fails(() => files.read(name), 'model', /not a file beside it/);
  symlinkSync(join(folder, 'secret'), join(folder, 'in/link'));
  fails(() => files.read('link'), 'model', /leads out of its folder/);
  symlinkSync('net.onnx', join(folder, 'in/alias'));
  assert.is(textOf(files.read('alias')), 'net.onnx');
  mkdirSync(join(folder, 'in/sub'));
  fails(() => files.read('sub'), 'io', /cannot read/);
  fails(() => files.read('missing'), 'io', /no such file/);
});

test('what is read of a model is recorded once', () => {
  let reads = 0;
  const bytes = new Uint8Array([1]);
  const read = (name: string): Uint8Array => new Uint8Array([name.length, ++reads]);
  const model = recordFiles({ bytes, read });
  assert.is(model.read('ab'), model.read('ab'));
  assert.is(reads, 1);
  assert.equal([...model.parts.values()], [bytes, new Uint8Array([2, 1])]);
  fails(() => recordFiles(bytes).read('ab'), 'model', /"ab" is missing/);
});

test.run();
