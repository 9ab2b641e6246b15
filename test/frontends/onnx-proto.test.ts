import onnxProto from 'onnx-proto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { AttributeType, DataType, decodeModel, toBigInt, toNumber } from '../../src/frontends/onnx/proto.js';

const { ModelProto } = onnxProto.onnx;

/** A graph of one Conv, as bytes. `extra` overrides fields of its weight. */
function tinyModel(extra: object = {}): Uint8Array {
  return ModelProto.encode({
    irVersion: 8,
    opsetImport: [{ domain: '', version: 13 }],
    producerName: 'test',
    graph: {
      name: 'g',
      node: [
        {
          name: 'conv',
          opType: 'Conv',
          input: ['x', 'w'],
          output: ['y'],
          attribute: [
            { name: 'pads', type: AttributeType.INTS, ints: [0, 1, 2, 3] },
            { name: 'group', type: AttributeType.INT, i: -5 },
            { name: 'alpha', type: AttributeType.FLOAT, f: 0.5 },
            { name: 'auto_pad', type: AttributeType.STRING, s: new TextEncoder().encode('VALID') },
          ],
        },
      ],
      initializer: [
        {
          name: 'w',
          dims: [1, 2],
          dataType: DataType.FLOAT,
          rawData: new Uint8Array([0, 0, 128, 63, 0, 0, 0, 64]),
          ...extra,
        },
      ],
      input: [
        {
          name: 'x',
          type: { tensorType: { elemType: DataType.FLOAT, shape: { dim: [{ dimParam: 'N' }, { dimValue: 3 }, {}] } } },
        },
      ],
      output: [{ name: 'y' }],
    },
  }).finish();
}

/** The head (tag and length) of a length-delimited protobuf field. */
function head(number: number, length: number): Uint8Array {
  const bytes: number[] = [];
  for (const start of [(number << 3) | 2, length]) {
    let rest = start;
    for (; rest > 127; rest >>>= 7) bytes.push((rest & 127) | 128);
    bytes.push(rest);
  }
  return new Uint8Array(bytes);
}

/** A whole length-delimited protobuf field. */
function field(number: number, content: Uint8Array): Uint8Array {
  return new Uint8Array([...head(number, content.length), ...content]);
}

test('a model decodes to plain messages with defaults for what is absent', () => {
  const model = decodeModel(tinyModel());
  assert.is(toNumber(model.irVersion), 8);
  assert.equal(
    model.opsetImport.map((o) => [o.domain, toNumber(o.version)]),
    [['', 13]],
  );
  const [node] = model.graph.node;
  assert.is(node.opType, 'Conv');
  assert.is(node.domain, '');
  assert.equal([...node.input, ...node.output], ['x', 'w', 'y']);
  const [pads, group, alpha, autoPad] = node.attribute;
  assert.equal(pads.ints.map(toNumber), [0, 1, 2, 3]);
  assert.is(toNumber(group.i), -5);
  assert.is(alpha.f, 0.5);
  assert.is(new TextDecoder().decode(autoPad.s), 'VALID');
  assert.is(pads.t, null);
  assert.equal(model.graph.valueInfo, []);
  assert.is(model.graph.output[0].type, null);
});

test('dimensions: symbolic, fixed, unknown', () => {
  const dims = decodeModel(tinyModel()).graph.input[0].type!.tensorType!.shape!.dim;
  assert.equal(
    dims.map((d) => d.dimParam ?? (d.dimValue === null ? '?' : toNumber(d.dimValue))),
    ['N', 3, '?'],
  );
});

test('raw data is a view into the file, also when the file is a Buffer inside a larger one', () => {
  const bytes = tinyModel();
  const padded = Buffer.concat([Buffer.alloc(3), bytes]).subarray(3);
  for (const file of [bytes, padded]) {
    const { rawData } = decodeModel(file).graph.initializer[0];
    assert.not(Buffer.isBuffer(rawData));
    assert.equal([...rawData], [0, 0, 128, 63, 0, 0, 0, 64]);
    assert.is(rawData.buffer, file.buffer);
  }
});

test('data and attribute types newer than the schema pass through as numbers', () => {
  const model = decodeModel(tinyModel({ dataType: DataType.INT4, dataLocation: 7 }));
  assert.is(model.graph.initializer[0].dataType, 22);
  assert.is(model.graph.initializer[0].dataLocation, 7);
  const node = { opType: 'A', attribute: [{ name: 'a', type: 99 }] };
  assert.is(decodeModel(ModelProto.encode({ graph: { node: [node] } }).finish()).graph.node[0].attribute[0].type, 99);
});

test('unknown fields and IR versions are tolerated', () => {
  const unknown = field(1000, new Uint8Array([1, 2, 3]));
  const model = decodeModel(new Uint8Array([...tinyModel(), ...unknown, 0x08, 0x63]));
  assert.is(toNumber(model.irVersion), 99);
  assert.is(model.graph.node.length, 1);
});

test('64-bit integers are exact as bigints and rounded as numbers', () => {
  const max = { low: -1, high: 0x7fffffff, unsigned: false };
  const dims = [-1, 2 ** 40 + 1, 0, -(2 ** 53)];
  const proto = { graph: { initializer: [{ dims, int64Data: [1, -2], uint64Data: [3] }] } };
  const [tensor] = decodeModel(ModelProto.encode(proto).finish()).graph.initializer;
  assert.equal(tensor.dims.map(toNumber), dims);
  assert.equal(tensor.dims.map(toBigInt), dims.map(BigInt));
  assert.equal(tensor.int64Data.map(toBigInt), [1n, -2n]);
  assert.is(toBigInt(max), 2n ** 63n - 1n);
  assert.is(toNumber(max), 2 ** 63);
  assert.is(toBigInt({ low: -1, high: -1, unsigned: true }), 2n ** 64n - 1n);
  assert.is(toBigInt({ low: -1, high: -1, unsigned: false }), -1n);
});

test('empty, truncated, graphless and random bytes are errors with a reason', () => {
  const bytes = tinyModel();
  assert.throws(() => decodeModel(new Uint8Array()), /^Error: not an ONNX model: it is empty|it is empty/);
  assert.throws(() => decodeModel(bytes.subarray(0, bytes.length - 10)), /truncated or damaged/);
  assert.throws(() => decodeModel(new Uint8Array([8, 1])), /holds no graph/);
  assert.throws(() => decodeModel(new TextEncoder().encode('hello, world')), /^not an ONNX model/);
});

test('every truncation of a model throws an Error or gives a model, never anything else', () => {
  const bytes = tinyModel();
  for (let length = 0; length < bytes.length; length++) {
    try {
      decodeModel(bytes.subarray(0, length));
    } catch (error) {
      assert.instance(error, Error);
      assert.not((error as Error).message.includes('\n'));
    }
  }
});

test('messages nested too deeply are an error, not a crash', () => {
  // TypeProto.optional_type (9) -> Optional.elem_type (1) -> TypeProto ..., written from the inside out.
  const heads: Uint8Array[] = [];
  let size = 0;
  for (let i = 0; i < 40_000; i++) {
    heads.push(head(i % 2 === 0 ? 1 : 9, size));
    size += heads[i].length;
  }
  const type = new Uint8Array(Buffer.concat(heads.reverse()));
  const model = field(7, field(11, field(2, type)));
  assert.throws(() => decodeModel(model), /nested too deeply/);
});

test.run();
