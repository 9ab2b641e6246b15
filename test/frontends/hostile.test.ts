/** Files that are no model, or one that nobody should compile: each one a clear error, soon. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compile } from '../../src/compile.js';
import { QcError } from '../../src/support/errors.js';
import { type ModelSpec, model, type NodeSpec, type TensorSpec } from '../support/onnx.js';

const RELU: ModelSpec = {
  inputs: { x: [1, 4] },
  outputs: ['y'],
  nodes: [{ op: 'Relu', inputs: ['x'], outputs: ['y'] }],
};
const GOOD = model(RELU);
const IMAGE = { ...RELU, inputs: { x: [1, 1, 8, 8] } };

const one = (spec: ModelSpec, node: Partial<NodeSpec>, initializers: ModelSpec['initializers'] = {}): Uint8Array =>
  model({ ...spec, initializers, nodes: [{ op: 'Add', inputs: ['x', 'c'], outputs: ['y'], ...node }] });

const wide = (...data: bigint[]): TensorSpec => ({
  shape: [data.length],
  dtype: 'i64',
  raw: new Uint8Array(BigInt64Array.from(data).buffer),
});
const scalar = (value: bigint): TensorSpec => ({ ...wide(value), shape: [] });
const floats = (...data: number[]): TensorSpec => ({ shape: data.length === 1 ? [] : [data.length], data });

/** A field of a protobuf message with a length that need not be true. */
function field(number: number, bytes: Uint8Array, length = bytes.length): Uint8Array {
  const size: number[] = [];
  let n = length;
  for (; n > 127; n = Math.floor(n / 128)) size.push((n & 127) | 128);
  return Uint8Array.from([(number << 3) | 2, ...size, n, ...bytes]);
}

/** Graphs within attributes within nodes within graphs. */
function nested(depth: number): Uint8Array {
  let graph = new Uint8Array();
  for (let i = 0; i < depth; i++) graph = new Uint8Array(field(1, field(5, field(6, graph))));
  return field(7, graph);
}

/** An initializer whose header speaks of 2 GiB. */
function twoGigabytes(): Uint8Array {
  const dims = Uint8Array.of(8, 0x80, 0x80, 0x80, 0x80, 2, 16, 1);
  const tensor = Uint8Array.from([...dims, ...field(9, Uint8Array.of(1, 2, 3, 4), 2 ** 31)]);
  return field(7, field(5, tensor, 2 ** 31 + 14), 2 ** 31 + 28);
}

/** A pair of Q and DQ with any parameters. */
const pair = (scale: TensorSpec, zero: TensorSpec): Uint8Array =>
  model({
    ...RELU,
    initializers: { s: scale, z: zero },
    nodes: [
      { op: 'QuantizeLinear', inputs: ['x', 's', 'z'], outputs: ['q'] },
      { op: 'DequantizeLinear', inputs: ['q', 's', 'z'], outputs: ['y'] },
    ],
  });
const zero: TensorSpec = { shape: [], dtype: 'u8', data: [0] };

/** A constant of many elements, and thirty exponentials of it. */
const EXPONENTIALS: readonly NodeSpec[] = [
  { op: 'ConstantOfShape', inputs: ['n'], outputs: ['k0'] },
  ...Array.from({ length: 30 }, (_, i) => ({ op: 'Exp', inputs: [`k${i}`], outputs: [`k${i + 1}`] })),
  { op: 'Add', inputs: ['x', 'k30'], outputs: ['y'] },
];

/** What is wrong, the file, and what the error must say. */
/** A node with computed operands, whose result has a stated shape. */
const stated = (node: NodeSpec, shape: readonly number[]): Uint8Array =>
  model({
    inputs: { x: [2, 2], k: { shape: [2], dtype: 'i64' }, s: [1] },
    nodes: [{ ...node, outputs: ['y'] }],
    outputs: { y: shape },
  });

const CASES: readonly (readonly [what: string, bytes: Uint8Array, pattern: RegExp])[] = [
  ['an empty file', new Uint8Array(), /it is empty/],
  ['a truncated file', GOOD.subarray(0, GOOD.length - 9), /truncated or damaged/],
  ['random bytes', Uint8Array.from({ length: 999 }, (_, i) => (i * 7919 + 31) & 255), /not an ONNX model/],
  ['a JPEG', Uint8Array.of(0xff, 0xd8, 0xff, 0xe0, 0, 16, 0x4a, 0x46, 0x49, 0x46, 0), /not an ONNX model/],
  ['text', new TextEncoder().encode('hello, this is no model'), /not an ONNX model/],
  ['deep nesting', nested(3000), /nested too deeply|truncated/],
  ['an absurd length', Uint8Array.of(8, 8, 0x3a, 0xff, 0xff, 0xff, 0xff, 0x0f, 1, 2), /truncated or damaged/],
  ['a header of 2 GiB', twoGigabytes(), /not an ONNX model/],
  ['absurd dimensions', one(RELU, {}, { c: { shape: [2 ** 31, 2 ** 31], data: [] } }), /impossible shape/],
  ['negative dimensions', one(RELU, {}, { c: { shape: [-4], data: [1, 2, 3, 4] } }), /impossible shape \[-4\]/],
  ['an absurd input', model({ ...RELU, inputs: { x: [1, 100000, 100000] } }), /impossible shape/],
  ['more memory than there is', model({ ...RELU, inputs: { x: [1, 30000, 30000] } }), /GiB of memory/],
  ['missing elements', one(RELU, {}, { c: { shape: [4], raw: new Uint8Array(12) } }), /holds 3 elements/],
  ...[17, 22, 8, 14, 4, 99, 0].map(
    (dtype) =>
      [
        `inputs of data type ${dtype}`,
        model({ ...RELU, inputs: { x: { shape: [1, 4], dtype } } }),
        /has elements of type/,
      ] as const,
  ),
  ['weights of float8', one(RELU, {}, { c: { shape: [4], dtype: 17, raw: new Uint8Array(4) } }), /float8e4m3fn/],
  ['a cycle', model({ ...RELU, nodes: [{ op: 'Add', inputs: ['x', 'y'], outputs: ['y'] }] }), /cycle through "y"/],
  ['one value made twice', model({ ...RELU, nodes: [...(RELU.nodes ?? []), ...(RELU.nodes ?? [])] }), /also an output/],
  ['one output named twice', model({ ...RELU, outputs: ['y', 'y'] }), /two outputs/],
  ['an output that nothing makes', model({ ...RELU, outputs: ['z'] }), /nothing makes the output "z"/],
  ['no nodes', model({ ...RELU, nodes: [] }), /no nodes/],
  ['a scale of NaN', pair(floats(Number.NaN), zero), /scale NaN/],
  ['a scale of 0', pair(floats(0), zero), /scale 0 is not/],
  ['a negative scale', pair(floats(-1), zero), /scale -1/],
  ['an endless scale', pair(floats(Number.POSITIVE_INFINITY), zero), /scale Infinity/],
  [
    'a zero point out of range',
    pair(floats(1), { shape: [], dtype: 'u8', fields: { int32Data: [300] } }),
    /holds 300, which is no u8/,
  ],
  ['too few zero points', pair(floats(1, 1, 1, 1), { shape: [2], dtype: 'u8', data: [0, 0] }), /2 zero points/],
  ['shapes that do not fit', one(RELU, {}, { c: floats(1, 2, 3) }), /do not broadcast/],
  ['weights that do not fit', one(IMAGE, { op: 'Conv' }, { c: { shape: [1, 2, 1, 1], data: [1, 2] } }), /do not fit/],
  ['a reshape beyond 2^62', one(RELU, { op: 'Reshape' }, { c: wide(2n ** 62n, 4n) }), /cannot take the shape/],
  ['a tile beyond 2^40', one(RELU, { op: 'Tile' }, { c: wide(2n ** 40n, 2n ** 40n) }), /impossible shape/],
  ['an expansion beyond 2^62', one(RELU, { op: 'Expand' }, { c: wide(2n ** 31n, 2n ** 31n, 4n) }), /impossible/],
  ['pads beyond 2^40', one(RELU, { op: 'Pad' }, { c: wide(0n, 2n ** 40n, 0n, 0n) }), /impossible shape/],
  [
    'a range beyond 2^62',
    one(RELU, { op: 'Range', inputs: ['a', 'b', 'c'] }, { a: scalar(0n), b: scalar(2n ** 62n), c: scalar(1n) }),
    /a range from 0/,
  ],
  [
    'one-hot of 2^40',
    one(RELU, { op: 'OneHot', inputs: ['a', 'b', 'c'] }, { a: wide(1n), b: wide(2n ** 40n), c: floats(0, 1) }),
    /a table of/,
  ],
  ['a giant window', one(IMAGE, { op: 'MaxPool', inputs: ['x'], attrs: { kernel_shape: [2e9, 2] } }), /out of range/],
  [
    'a stride of 0',
    one(IMAGE, { op: 'MaxPool', inputs: ['x'], attrs: { kernel_shape: [2, 2], strides: [0, 1] } }),
    /strides/,
  ],
  [
    'giant dilations',
    one(
      IMAGE,
      { op: 'Conv', attrs: { dilations: [1e9, 1], pads: [1e9, 1, 1e9, 1] } },
      { c: { shape: [1, 1, 3, 3], data: new Array(9).fill(1) } },
    ),
    /out of range/,
  ],
  [
    'an attribute of NaN',
    one(RELU, { op: 'LeakyRelu', inputs: ['x'], attrs: { alpha: { float: Number.NaN } } }),
    /alpha" is NaN/,
  ],
  [
    'hours of constant folding',
    model({ ...RELU, inputs: { x: [1] }, initializers: { n: wide(60_000_000n) }, nodes: EXPONENTIALS }),
    /computes too much from constants/,
  ],
  [
    'a product of giant constants',
    model({
      ...RELU,
      initializers: { n: wide(3000n, 3000n) },
      nodes: [
        { op: 'ConstantOfShape', inputs: ['n'], outputs: ['k'] },
        { op: 'MatMul', inputs: ['k', 'k'], outputs: ['y'] },
      ],
    }),
    /computes too much from constants/,
  ],
  [
    'an equation of 100,000 letters',
    one(RELU, { op: 'Einsum', inputs: ['x'], attrs: { equation: 'a'.repeat(100_000) } }),
    /the term "a{1,500}\.\.\./,
  ],
  ['a stated shape of another rank', stated({ op: 'Slice', inputs: ['x', 'k', 'k'] }, [1, 2, 3]), /1,2,3.*of 2 dim/],
  ['a stated shape of 2^30', stated({ op: 'Slice', inputs: ['x', 'k', 'k'] }, [2 ** 30, 2]), /a table of/],
  ['a stated shape that no tiles give', stated({ op: 'Tile', inputs: ['x', 'k'] }, [7, 9]), /repeated \[/],
  ['scales for some dimensions', stated({ op: 'Resize', inputs: ['x', '', 's'] }, [2, 4]), /shape \[1\] for 2 numbers/],
  [
    '10,000 nodes of an unknown type',
    model({
      ...RELU,
      nodes: Array.from({ length: 10_000 }, (_, i) => ({ op: 'Odd', inputs: ['x'], outputs: [`y${i || ''}`] })),
    }),
    /10000 nodes are not supported: Odd x10000/,
  ],
];

test('names of what objects have are names like others', async () => {
  const { report } = await compile(
    model({
      inputs: { constructor: [2], toString: [2] },
      nodes: [{ op: 'Add', inputs: ['constructor', 'toString'], outputs: ['valueOf'] }],
      outputs: ['valueOf'],
    }),
  );
  assert.equal(
    report.entries[0]?.inputs.map(({ name }) => name),
    ['constructor', 'toString'],
  );
});

/** Seconds of computing that each may take; they take milliseconds. */
const MOST = 5;

for (const [what, bytes, pattern] of CASES)
  test(what, async () => {
    const start = process.cpuUsage();
    try {
      await compile(bytes);
    } catch (error) {
      assert.instance(error, QcError, `${error}`);
      assert.is((error as QcError).kind, 'model');
      assert.match((error as QcError).format(), pattern);
      const { user, system } = process.cpuUsage(start);
      assert.ok((user + system) / 1e6 < MOST, `took ${(user + system) / 1e6} s`);
      return;
    }
    throw new Error('it was compiled');
  });

test('powers wrap, empty tensors and outputs that are inputs or constants compile', async () => {
  await compile(
    model({
      ...RELU,
      initializers: { a: wide(3n), b: wide(2n ** 62n) },
      nodes: [
        { op: 'Pow', inputs: ['a', 'b'], outputs: ['p'] },
        { op: 'Cast', inputs: ['p'], outputs: ['y'], attrs: { to: 1 } },
      ],
    }),
  );
  await compile(model({ ...RELU, inputs: { x: [2, 0, 3] } }));
  await compile(model({ ...RELU, outputs: ['y', 'x'] }));
  await compile(model({ ...RELU, initializers: { c: floats(1, 2) }, outputs: ['y', 'c'] }));
});

test.run();
