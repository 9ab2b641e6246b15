import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { decodeNpy, encodeNpy, isNpy, type NpyArray, tensorFromNpy } from '../../src/data/npy.js';
import { arrayFromBytes, byteSize } from '../../src/ir/tensor.js';
import { QcError } from '../../src/support/errors.js';

const DTYPES = ['f32', 'f64', 'i8', 'u8', 'i32', 'i64', 'bool'] as const;

/** A file with a header of our own. */
function npy(header: string, data: Uint8Array, version = 1): Uint8Array {
  const length = header.length;
  const size = version === 1 ? [length & 255, length >> 8] : [length & 255, length >> 8, 0, 0];
  return new Uint8Array([0x93, ...Buffer.from('NUMPY'), version, 0, ...size, ...Buffer.from(header), ...data]);
}

const header = (descr: string, shape: string, fortran = 'False'): string =>
  `{'descr': '${descr}', 'fortran_order': ${fortran}, 'shape': ${shape}, }`;

const fails = (bytes: Uint8Array, message: RegExp): void => {
  try {
    decodeNpy(bytes);
  } catch (error) {
    assert.instance(error, QcError);
    assert.is((error as QcError).kind, 'model');
    assert.match((error as QcError).format(), message);
    return;
  }
  assert.unreachable(`should fail with ${message}`);
};

/** Any array: the elements are random bytes, which covers every bit pattern. */
const arrays = fc
  .tuple(fc.constantFrom(...DTYPES), fc.array(fc.nat(5), { maxLength: 4 }), fc.infiniteStream(fc.nat(255)))
  .map(([dtype, shape, stream]): NpyArray => {
    const n = shape.reduce((a, b) => a * b, 1);
    const bytes = Uint8Array.from({ length: n * byteSize(dtype) }, () => {
      const byte = stream.next().value as number;
      return dtype === 'bool' ? byte & 1 : byte;
    });
    return { dtype, shape, data: arrayFromBytes(dtype, bytes) };
  });

const bits = ({ data }: NpyArray): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

test('what is written reads back bit by bit', () => {
  fc.assert(
    fc.property(arrays, (array) => {
      const file = encodeNpy(array);
      const back = decodeNpy(file);
      assert.is(back.dtype, array.dtype);
      assert.equal(back.shape, array.shape);
      assert.equal(bits(back), bits(array));
      assert.is((file.length - array.data.byteLength) % 64, 0);
    }),
  );
});

test('the bytes are those of NumPy', () => {
  // np.save of np.array([[1, -1]], dtype='<i4')
  const expected = `\x93NUMPY\x01\x00v\x00${"{'descr': '<i4', 'fortran_order': False, 'shape': (1, 2), }".padEnd(117)}\n`;
  const file = encodeNpy({ dtype: 'i32', shape: [1, 2], data: Int32Array.of(1, -1) });
  assert.is(Buffer.from(file.subarray(0, 128)).toString('latin1'), expected);
  assert.equal([...file.subarray(128)], [1, 0, 0, 0, 255, 255, 255, 255]);
});

test('a view inside a larger buffer reads and writes', () => {
  const data = new Float32Array([0, 1, 2, 3]).subarray(1, 3);
  const file = encodeNpy({ dtype: 'f32', shape: [2], data });
  const padded = Buffer.concat([Buffer.alloc(3), file]).subarray(3);
  assert.ok(isNpy(padded));
  assert.equal([...decodeNpy(padded).data], [1, 2]);
});

test('headers of other versions and writers are read', () => {
  const two = new Uint8Array([1, 2]);
  assert.equal(decodeNpy(npy(header('|u1', '(2,)'), two, 2)).shape, [2]);
  assert.equal(decodeNpy(npy(header('|u1', '(2,)'), two, 3)).shape, [2]);
  assert.equal(decodeNpy(npy(header('|u1', '(2,1)'), two)).shape, [2, 1]);
  assert.equal(decodeNpy(npy('{"shape": (2, ), "fortran_order": False, "descr": "u1"}', two)).shape, [2]);
  assert.equal(decodeNpy(npy(header('|u1', '()'), two.subarray(1))).shape, []);
  assert.equal([...decodeNpy(npy(header('|b1', '(2,)'), two)).data], [1, 1]);
  assert.equal([...decodeNpy(npy(header('|i1', '(1, 2)', 'True'), two)).data], [1, 2]);
});

test('float64 becomes float32 in a tensor', () => {
  const { type, data } = tensorFromNpy(encodeNpy({ dtype: 'f64', shape: [1], data: Float64Array.of(0.1) }));
  assert.equal(type, { dtype: 'f32', shape: [1] });
  assert.is(data[0], Math.fround(0.1));
});

test('what cannot be read says why, and what to do', () => {
  const four = new Uint8Array(4);
  fails(new Uint8Array(), /not a \.npy file/);
  fails(npy(header('<i4', '(1,)'), four, 9), /version 9/);
  fails(npy(header('<i2', '(2, 2)', 'True'), four), /element type <i2.*\n.*Supported are/);
  fails(npy(header('|u1', '(2, 2)', 'True'), four), /Fortran order.*\n.*ascontiguousarray/);
  fails(npy(header('>f4', '(1,)'), four), /big-endian/);
  fails(npy(header('|O', '(1,)'), four), /element type \|O/);
  fails(npy(header('<f4', '(2,)'), four), /4 bytes of data, its shape \[2\] needs 8/);
  fails(npy(header('<f4', '(-1,)'), four), /no valid shape/);
  fails(npy(header('<f4', '(9007199254740991, 9007199254740991)'), four), /no valid shape/);
  fails(npy('{}', four), /no readable descr/);
  fails(npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", four), /no readable descr/);
});

test('every truncation and any tail is an error with a message', () => {
  const file = encodeNpy({ dtype: 'f32', shape: [3], data: new Float32Array(3) });
  for (let n = 0; n < file.length; n++) fails(file.subarray(0, n), /./);
  fails(new Uint8Array([...file, 0]), /13 bytes of data/);
  const any = fc.uint8Array({ maxLength: 40 });
  fc.assert(
    fc.property(any, (tail) => {
      try {
        decodeNpy(new Uint8Array([...file.subarray(0, 10), ...tail]));
      } catch (error) {
        assert.instance(error, QcError);
      }
    }),
  );
});

test.run();
