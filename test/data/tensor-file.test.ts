import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { encodeNpy } from '../../src/data/npy.js';
import { batchShape, itemsIn, readNamedTensor, tensorFromRaw } from '../../src/data/tensor-file.js';
import { f32 } from '../../src/ir/tensor.js';
import { QcError } from '../../src/support/errors.js';
import { tensorBytes } from '../support/onnx.js';

const wanted = { dtype: 'f32', shape: [1, 2, 2] } as const;
const items = (shape: number[]): number => {
  const size = shape.reduce((a, b) => a * b, 1);
  return itemsIn('x.npy', f32(shape, new Float32Array(size)), wanted, 'x');
};

test('the kind of a file comes from its first bytes, then from its name', () => {
  const npy = encodeNpy({ dtype: 'f32', shape: [1], data: new Float32Array(1) });
  assert.equal(readNamedTensor('anything', npy)?.tensor.type, { dtype: 'f32', shape: [1] });
  assert.is(readNamedTensor('x.PB', tensorBytes('a', { shape: [1], data: [1] }))?.name, 'a');
  assert.is(readNamedTensor('x.bin', new Uint8Array(4)), undefined);
});

test('errors name the file', () => {
  for (const file of ['x.npy', 'x.pb'])
    assert.throws(
      () => readNamedTensor(file, new Uint8Array(3)),
      (error: unknown) => error instanceof QcError && error.kind === 'model' && error.format().startsWith(`${file}: `),
    );
});

test('raw data is one item or several', () => {
  assert.equal(tensorFromRaw('x.bin', new Uint8Array(16), wanted).type.shape, [1, 2, 2]);
  assert.equal(tensorFromRaw('x.bin', new Uint8Array(48), wanted).type.shape, [3, 2, 2]);
  for (const n of [0, 15, 20])
    assert.throws(() => tensorFromRaw('x.bin', new Uint8Array(n), wanted), /bytes are not raw data of f32 \[1, 2, 2\]/);
});

test('a shape fits as it is, without leading ones, or as a batch; equal sizes are not enough', () => {
  assert.is(items([1, 2, 2]), 1);
  assert.is(items([2, 2]), 1);
  assert.is(items([1, 1, 2, 2]), 1);
  assert.is(items([3, 2, 2]), 3);
  for (const shape of [[4], [1, 4], [2, 2, 1], [1, 2, 3], [0, 2, 2], []])
    assert.throws(() => items(shape), /holds f32 .* but input "x" takes f32 \[1, 2, 2\]/);
  assert.throws(() => itemsIn('x', { type: { dtype: 'i32', shape: [1, 2, 2] }, data: new Int32Array(4) }, wanted, 'x'));
  const scalar = { dtype: 'f32', shape: [] } as const;
  assert.is(itemsIn('x', f32([1], [0]), scalar, 'x'), 1);
  assert.is(itemsIn('x', f32([5], new Float32Array(5)), scalar, 'x'), 5);
});

test('a batch multiplies the first dimension', () => {
  assert.equal(batchShape([1, 3], 1), [1, 3]);
  assert.equal(batchShape([2, 3], 4), [8, 3]);
  assert.equal(batchShape([], 4), [4]);
});

test.run();
