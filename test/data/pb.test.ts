import { existsSync, readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import onnxProto from 'onnx-proto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { decodeTensorProto } from '../../src/data/pb.js';
import { QcError } from '../../src/support/errors.js';
import { skipUnless } from '../support/skip.js';

const { TensorProto } = onnxProto.onnx;
const encode = (message: object): Uint8Array => TensorProto.encode(message).finish();
const raw = (data: ArrayBufferView): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

const fails = (bytes: Uint8Array, message: RegExp): void => {
  try {
    decodeTensorProto(bytes);
  } catch (error) {
    assert.instance(error, QcError);
    assert.match((error as QcError).message, message);
    return;
  }
  assert.unreachable(`should fail with ${message}`);
};

test('raw data and typed lists give the same tensor', () => {
  const cases = [
    { dataType: 1, raw: Float32Array.of(1.5, -2), list: { floatData: [1.5, -2] }, dtype: 'f32' },
    { dataType: 2, raw: Uint8Array.of(1, 255), list: { int32Data: [1, 255] }, dtype: 'u8' },
    { dataType: 3, raw: Int8Array.of(-128, 127), list: { int32Data: [-128, 127] }, dtype: 'i8' },
    { dataType: 6, raw: Int32Array.of(-(2 ** 31), 7), list: { int32Data: [-(2 ** 31), 7] }, dtype: 'i32' },
    { dataType: 7, raw: BigInt64Array.of(-5n, 2n ** 40n), list: { int64Data: [-5, 2 ** 40] }, dtype: 'i64' },
    { dataType: 9, raw: Uint8Array.of(1, 0), list: { int32Data: [1, 0] }, dtype: 'bool' },
    { dataType: 11, raw: Float64Array.of(1.5, -2), list: { doubleData: [1.5, -2] }, dtype: 'f32' },
  ];
  for (const { dataType, raw: data, list, dtype } of cases)
    for (const content of [{ rawData: raw(data) }, list]) {
      const { name, tensor } = decodeTensorProto(encode({ name: 'a/b', dims: [1, 2], dataType, ...content }));
      assert.is(name, 'a/b');
      assert.equal(tensor.type, { dtype, shape: [1, 2] });
      assert.equal(Array.from(tensor.data as ArrayLike<number>), Array.from(data as ArrayLike<number>));
    }
});

test('scalars, empty tensors, no name, unknown fields', () => {
  const scalar = decodeTensorProto(encode({ dataType: 1, floatData: [3] }));
  assert.equal([scalar.name, scalar.tensor.type.shape, [...scalar.tensor.data]], ['', [], [3]]);
  assert.is(decodeTensorProto(encode({ dataType: 7, dims: [0, 4] })).tensor.data.length, 0);
  const more = new Uint8Array([...encode({ dataType: 1, floatData: [3] }), 0xfa, 0x3f, 2, 1, 1]);
  assert.equal([...decodeTensorProto(more).tensor.data], [3]);
});

test('what cannot be read says why', () => {
  fails(new Uint8Array(), /the file is empty/);
  fails(encode({ dims: [1] }), /no data type/);
  fails(encode({ dataType: 10, dims: [1], int32Data: [1] }), /data type 10 is not supported/);
  fails(encode({ dataType: 1, dims: [3], floatData: [1, 2] }), /holds 2 elements, its shape needs 3/);
  fails(encode({ dataType: 1, dims: [2], rawData: new Uint8Array(7) }), /holds 1.75 elements/);
  fails(encode({ dataType: 1, dims: [-1], floatData: [1] }), /shape \[-1\]/);
  fails(encode({ dataType: 1, dims: [1], externalData: [{ key: 'location', value: '/etc/passwd' }] }), /external data/);
  fails(new TextEncoder().encode('hello, world'), /not an ONNX tensor/);
});

test('truncations and random bytes never give anything but a QcError', () => {
  const file = encode({ name: 'x', dims: [2, 2], dataType: 1, rawData: new Uint8Array(16) });
  const check = (bytes: Uint8Array): void => {
    try {
      decodeTensorProto(bytes);
    } catch (error) {
      assert.instance(error, QcError);
    }
  };
  for (let n = 0; n < file.length; n++) fails(file.subarray(0, n), /./);
  fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), check), { numRuns: 2000 });
});

const shared = new URL('../../../shared/models/kws_dscnn_int8/test_data_set_0/input_0.pb', import.meta.url);

if (skipUnless(existsSync(shared), 'a test data set of a real model', 'the shared models are not here'))
  test('a test data set of a real model', () => {
    const { tensor } = decodeTensorProto(new Uint8Array(readFileSync(shared)));
    assert.equal(tensor.type, { dtype: 'f32', shape: [1, 1, 49, 10] });
  });

test.run();
