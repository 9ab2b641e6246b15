import { deflateRawSync } from 'node:zlib';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { npyFromTensor } from '../../src/data/npy.js';
import { decodeNpz } from '../../src/data/npz.js';
import { f32, i64 } from '../../src/ir/tensor.js';
import { QcError } from '../../src/support/errors.js';
import { zip } from '../support/zip.js';

const arrays = { x: f32([2, 2], [1, 2, 3, 4]), labels: i64([2], [7, 8]) };
const files = Object.entries(arrays).map(([name, t]) => ({ name: `${name}.npy`, data: npyFromTensor(t) }));

test('arrays by name, stored and deflated', async () => {
  for (const method of [0, 8]) {
    const read = await decodeNpz(zip(files, method));
    assert.equal([...read.keys()], ['x', 'labels']);
    assert.equal([...(read.get('x')?.data ?? [])], [1, 2, 3, 4]);
    assert.equal([...(read.get('labels')?.data ?? [])], [7n, 8n]);
  }
});

test('damaged files are model errors', async () => {
  const good = zip(files, 8);
  for (let cut = 0; cut < good.length; cut += 7) {
    const error = await decodeNpz(good.subarray(0, cut)).then(
      () => undefined,
      (e: unknown) => e,
    );
    assert.ok(error instanceof QcError && error.kind === 'model', `cut at ${cut}: ${error}`);
  }
  const bomb = zip([{ name: 'x.npy', data: new Uint8Array(10), size: 2 ** 31 }], 8);
  assert.match(String(await decodeNpz(bomb).catch(String)), /cannot have 2147483648 bytes/);
  assert.is(deflateRawSync(new Uint8Array(10)).length < 10, true);
  assert.match(
    String(await decodeNpz(zip([{ name: 'a.txt', data: new Uint8Array(3) }], 0)).catch(String)),
    /holds no arrays/,
  );
  assert.match(String(await decodeNpz(zip(files, 12)).catch(String)), /compressed by method 12/);
});

test.run();
