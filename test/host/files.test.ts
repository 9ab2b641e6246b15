import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readFile, writeFiles } from '../../src/host/files.js';
import { QcError } from '../../src/support/errors.js';

let folder = '';
test.before.each(() => {
  folder = mkdtempSync(join(tmpdir(), 'qc-files-'));
});
test.after.each(() => {
  chmodSync(folder, 0o700);
  rmSync(folder, { recursive: true, force: true });
});

const fails = (action: () => unknown, message: RegExp): void => {
  try {
    action();
  } catch (error) {
    assert.instance(error, QcError);
    assert.is((error as QcError).kind, 'io');
    assert.match((error as QcError).format(), message);
    return;
  }
  assert.unreachable(`should fail with ${message}`);
};

test('a set of files is written and replaced as a whole', () => {
  const out = join(folder, 'a/b');
  for (const text of ['one', 'two']) {
    const paths = writeFiles(out, [
      { name: 'x.txt', data: text },
      { name: 'y.bin', data: new TextEncoder().encode(text) },
    ]);
    assert.equal(paths, [join(out, 'x.txt'), join(out, 'y.bin')]);
    assert.equal(readdirSync(out).sort(), ['x.txt', 'y.bin']);
    for (const path of paths) assert.is(new TextDecoder().decode(readFile(path)), text);
  }
});

test('a failure leaves nothing behind', () => {
  mkdirSync(join(folder, 'y.bin'));
  writeFileSync(join(folder, 'x.txt'), 'old');
  const files = [
    { name: 'x.txt', data: 'new' },
    { name: 'z.txt', data: 'new' },
    { name: 'y.bin', data: 'new' },
  ];
  fails(() => writeFiles(folder, files), /y\.bin: cannot write: a folder with this name/);
  assert.equal(readdirSync(folder).sort(), ['x.txt', 'y.bin']);
  assert.is(readFileSync(join(folder, 'x.txt'), 'utf8'), 'old');
});

test('a folder made for a failed set is removed', () => {
  fails(() => writeFiles(join(folder, 'a/b'), [{ name: 'n'.repeat(300), data: '' }]), /the name is too long/);
  assert.not(existsSync(join(folder, 'a')));
});

test('errors name the file and the reason', () => {
  writeFileSync(join(folder, 'file'), '');
  fails(() => readFile(join(folder, 'none')), /none: cannot read: no such file/);
  fails(() => readFile(folder), /cannot read: it is a directory/);
  fails(() => writeFiles(join(folder, 'file'), [{ name: 'x', data: '' }]), /file: cannot create the folder/);
  fails(
    () => writeFiles(join(folder, 'file/sub'), [{ name: 'x', data: '' }]),
    /cannot create the folder: a part of the path/,
  );
  fails(() => writeFiles('/proc/qc-test', [{ name: 'x', data: '' }]), /cannot create the folder/);
});

test.run();
