import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type DataSetHeader,
  dataSetEnd,
  dataSetStart,
  type RandomAccess,
  readDataSet,
} from '../../src/data/data-set.js';
import { QcError } from '../../src/support/errors.js';

const HEADER: DataSetHeader = {
  format: 'qc-data-set',
  version: 1,
  dtype: 'f32',
  count: 3,
  channels: 3,
  height: 2,
  width: 2,
  decoder: 'none',
  resize: 2,
  fit: 'cover',
  interpolation: 'lanczos',
  range: 1,
  mean: [0, 0, 0],
  std: [1, 1, 1],
  skipped: [],
  names: ['a', 'b', 'c'],
};
const SIZE = { height: 2, width: 2 };

const access = (bytes: Uint8Array): RandomAccess => ({
  length: bytes.length,
  read: (offset, length) => bytes.subarray(offset, offset + length),
});
/** A data set of 3 pictures with elements 0, 1, 2, ... and labels 5, 6, 7. */
function file(dtype: 'f32' | 'u8', labels = [5, 6, 7], header: Partial<DataSetHeader> = {}): Uint8Array {
  const elements = Array.from({ length: 36 }, (_, i) => i);
  const pictures = dtype === 'u8' ? Uint8Array.from(elements) : new Uint8Array(Float32Array.from(elements).buffer);
  return Buffer.concat([
    dataSetStart({ ...HEADER, dtype, ...header }),
    pictures,
    dataSetEnd({ ...HEADER, dtype, ...header }, labels),
  ]);
}
const errorOf = (bytes: Uint8Array, size: typeof SIZE | undefined = SIZE): string => {
  try {
    readDataSet('data.bin', access(bytes), size);
  } catch (error) {
    assert.ok(error instanceof QcError && error.kind === 'model', String(error));
    return error.format();
  }
  return 'no error';
};

test('the f32 layout: count, pictures, labels, and not a byte more', () => {
  const bytes = file('f32');
  assert.is(bytes.length, 8 + 3 * (3 * 2 * 2 * 4 + 8));
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  assert.is(view.getBigInt64(0, true), 3n);
  assert.is(view.getFloat32(8 + 4 * 13, true), 13);
  assert.is(view.getBigInt64(bytes.length - 8, true), 7n);
});

test('both forms are read back, with and without the size of the network', () => {
  for (const dtype of ['f32', 'u8'] as const)
    for (const size of [SIZE, undefined]) {
      const set = readDataSet('data.bin', access(file(dtype)), size);
      assert.equal([set.dtype, set.count, set.size, [...set.labels]], [dtype, 3, SIZE, [5, 6, 7]]);
      assert.equal(
        [...set.picture(1)],
        Array.from({ length: 12 }, (_, i) => 12 + i),
      );
      assert.is(set.header?.names[2], dtype === 'u8' ? 'c' : undefined);
    }
  assert.is(readDataSet('data.bin', access(file('f32')), SIZE, HEADER).header, HEADER);
  assert.is(readDataSet('data.bin', access(file('f32')), SIZE, { ...HEADER, count: 4 }).header, undefined);
});

test('every truncation and every byte too many is a clear error', () => {
  for (const dtype of ['f32', 'u8'] as const) {
    const bytes = file(dtype);
    for (let cut = 0; cut < bytes.length; cut++)
      assert.match(errorOf(bytes.subarray(0, cut)), /^data\.bin: .*(truncated|no data set|its pictures are 1x1)/);
    assert.match(errorOf(Buffer.concat([bytes, new Uint8Array(1)])), /too long/);
  }
});

test('absurd counts, labels out of range and other sizes', () => {
  const counted = (n: bigint): Uint8Array => {
    const bytes = Buffer.from(file('f32'));
    bytes.writeBigInt64LE(n, 0);
    return bytes;
  };
  for (const n of [0n, -1n, 2n ** 40n, 2n ** 62n])
    assert.match(errorOf(counted(n)), new RegExp(`claims ${n} pictures`));
  assert.match(errorOf(counted(2n)), /too long: 176 bytes, but 2 pictures of 2x2/);
  assert.match(errorOf(file('f32', [5, -1, 7])), /label -1 of picture 1 is out of range/);
  assert.match(errorOf(file('u8', [5, 6, 2 ** 40])), /label 1099511627776 of picture 2 is out of range/);
  for (const dtype of ['f32', 'u8'] as const)
    assert.match(errorOf(file(dtype), { height: 4, width: 4 }), /its pictures are 2x2, the network takes 4x4/);
  assert.match(errorOf(file('u8', [5, 6, 7], { version: 2 as 1 })), /version 2/);
  assert.match(errorOf(file('u8', [5, 6, 7], { std: [0, 1, 1] })), /header of the data set is damaged/);
  for (const at of [12, 16, 24, 8 + 24 + 8, 64 + 3 * 20 + 4]) {
    const broken = Buffer.from(file('u8'));
    broken[at] += 1;
    assert.match(errorOf(broken, undefined), /header of the data set is damaged|truncated|too long/, `byte ${at}`);
  }
});

test.run();
