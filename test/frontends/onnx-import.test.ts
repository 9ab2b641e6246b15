import { existsSync, readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { importOnnx, type OnnxOptions } from '../../src/frontends/onnx/import.js';
import { DataType } from '../../src/frontends/onnx/proto.js';
import type { Graph, Node } from '../../src/ir/graph.js';
import { numbers } from '../../src/ir/tensor.js';
import { verify } from '../../src/ir/verify.js';
import { ONNX_IMPORTERS, OPS } from '../../src/ops/index.js';
import { type ErrorKind, QcError } from '../../src/support/errors.js';
import { externalFields, type ModelSpec, model, type TensorSpec } from '../support/onnx.js';
import { skipUnless } from '../support/skip.js';

/** Imports a model and checks the graph. */
function load(spec: ModelSpec, options?: OnnxOptions): Graph {
  const graph = importOnnx(model(spec), options);
  verify(graph, OPS);
  return graph;
}

/** The error of an import, which must be a QcError. */
function errorOf(bytes: Uint8Array, options?: OnnxOptions): QcError {
  try {
    importOnnx(bytes, options);
  } catch (error) {
    assert.instance(error, QcError, String(error instanceof Error ? error.stack : error));
    return error as QcError;
  }
  throw new Error('the import should have failed');
}

function fails(
  spec: ModelSpec | Uint8Array,
  pattern: RegExp,
  options?: OnnxOptions,
  kind: ErrorKind = 'model',
): QcError {
  const error = errorOf(spec instanceof Uint8Array ? spec : model(spec), options);
  assert.is(error.kind, kind, error.format());
  assert.match(error.format(), pattern);
  return error;
}

const RELU: ModelSpec = {
  inputs: { x: [1, 4] },
  outputs: ['y'],
  nodes: [{ op: 'Relu', name: 'relu0', inputs: ['x'], outputs: ['y'] }],
};

/** A model that adds the constant `c`, given as a tensor. */
const withConstant = (c: TensorSpec): ModelSpec => ({
  inputs: { x: [1, 2] },
  outputs: ['y'],
  nodes: [{ op: 'Add', inputs: ['x', 'c'], outputs: ['y'] }],
  initializers: { c },
});

/** The elements of the constant operand of the first node. */
const constantOf = (graph: Graph): number[] => {
  const data = graph.input(graph.nodes[0] as Node, 1).data;
  assert.ok(data);
  return numbers(data);
};

const QDQ: ModelSpec = {
  name: 'qdq',
  inputs: { x: ['N', 2, 4, 4] },
  outputs: { y: ['N', 3, 4, 4] },
  nodes: [
    { op: 'QuantizeLinear', inputs: ['x', 'sx', 'zx'], outputs: ['xq'] },
    { op: 'DequantizeLinear', inputs: ['xq', 'sx', 'zx'], outputs: ['xd'] },
    { op: 'DequantizeLinear', inputs: ['w', 'sw'], outputs: ['wd'], attrs: { axis: 0 } },
    { op: 'Conv', name: 'conv', inputs: ['xd', 'wd', 'b'], outputs: ['c'], attrs: { kernel_shape: [1, 1] } },
    { op: 'Relu', inputs: ['c'], outputs: ['y'] },
  ],
  initializers: {
    sx: { shape: [], data: [0.5] },
    zx: { shape: [], dtype: 'u8', data: [128] },
    w: { shape: [3, 2, 1, 1], dtype: 'i8', data: [1, 2, 3, 4, 5, 6] },
    sw: { shape: [3], data: [0.1, 0.2, 0.3] },
    b: { shape: [3], data: [1, 2, 3] },
  },
};

test('a quantized model: ids are indices, names are those of the source, the batch is 1', () => {
  const graph = load(QDQ);
  assert.is(graph.name, 'qdq');
  assert.equal(
    graph.nodes.map((n) => [n.id, n.op, graph.output(n).name]),
    [
      [0, 'quantize', 'xq'],
      [1, 'dequantize', 'xd'],
      [2, 'dequantize', 'wd'],
      [3, 'conv2d', 'c'],
      [4, 'relu', 'y'],
    ],
  );
  assert.equal(graph.nodes[3]?.origin, { name: 'conv', type: 'Conv' });
  assert.equal(graph.value(graph.inputs[0] as number).type, { dtype: 'f32', shape: [1, 2, 4, 4] });
  const weights = [...graph.values.values()].find((v) => v.name === 'w');
  assert.equal(weights?.type.quant?.scales, [0.1, 0.2, 0.3].map(Math.fround));
  assert.equal(
    graph.outputs.map((o) => [graph.value(o.value).name, o.name]),
    [['y', 'y']],
  );
  assert.is(graph.addNode({ op: 'relu', inputs: [], outputs: [] }).id, 5);
});

test('initializers listed as inputs are constants', () => {
  const graph = load({ ...withConstant({ shape: [2], data: [1, 2] }), inputs: { x: [1, 2], c: [2] } });
  assert.equal(
    graph.inputs.map((id) => graph.value(id).name),
    ['x'],
  );
  assert.equal(constantOf(graph), [1, 2]);
});

test('element types: what is kept, what is converted and noted, what is refused', () => {
  const notes: string[] = [];
  const read = (c: TensorSpec): number[] =>
    constantOf(load(withConstant({ ...c, shape: c.shape }), { onNote: (note) => notes.push(note) }));
  assert.equal(read({ shape: [2], data: [1.5, -2] }), [1.5, -2]);
  assert.equal(read({ shape: [2], fields: { floatData: [1.5, -2] } }), [1.5, -2]);
  assert.equal(notes, []);
  assert.equal(read({ shape: [2], dtype: DataType.DOUBLE, data: [0.25, 3] }), [0.25, 3]);
  assert.equal(read({ shape: [2], dtype: DataType.DOUBLE, fields: { doubleData: [0.25, 3] } }), [0.25, 3]);
  const half = { shape: [2], dtype: DataType.FLOAT16 };
  assert.equal(read({ ...half, raw: new Uint8Array([0x00, 0x3c, 0x01, 0x80]) }), [1, -(2 ** -24)]);
  assert.equal(read({ ...half, fields: { int32Data: [0x7c00, 0xc500] } }), [Number.POSITIVE_INFINITY, -5]);
  const bfloat = { shape: [2], dtype: DataType.BFLOAT16 };
  assert.equal(read({ ...bfloat, raw: new Uint8Array([0x80, 0x3f, 0x00, 0xc0]) }), [1, -2]);
  assert.is(notes.length, 5);
  assert.match(notes[2] as string, /initializer "c" is converted from float16 to float32/);
  for (const type of ['STRING', 'UINT16', 'INT16', 'UINT32', 'UINT64', 'COMPLEX64', 'FLOAT8E5M2', 'INT4'] as const) {
    const spec = withConstant({ shape: [2], dtype: DataType[type], raw: new Uint8Array(4) });
    fails(
      spec,
      new RegExp(`1 node is not supported: Add\\n.*Add \\(0\\): initializer "c" has.* ${type.toLowerCase()}`),
    );
  }
  fails(withConstant({ shape: [2], dtype: 99, raw: new Uint8Array(2) }), /element type 99/);
});

test('integers and booleans in raw data and in typed fields', () => {
  const shapes: [TensorSpec, number[]][] = [
    [{ shape: [2], dtype: 'i64', data: [2, -1] }, [2, -1]],
    [{ shape: [2], dtype: 'i64', fields: { int64Data: [2, -1] } }, [2, -1]],
    [{ shape: [2], dtype: 'i32', data: [2, -1] }, [2, -1]],
    [{ shape: [2], dtype: 'i32', fields: { int32Data: [2, -1] } }, [2, -1]],
    [{ shape: [2], dtype: 'i8', fields: { int32Data: [127, -128] } }, [127, -128]],
    [{ shape: [2], dtype: 'u8', fields: { int32Data: [255, 0] } }, [255, 0]],
    [{ shape: [2], dtype: 'bool', data: [7, 0] }, [1, 0]],
    [{ shape: [2], dtype: 'bool', fields: { int32Data: [1, 0] } }, [1, 0]],
    [{ shape: [0], dtype: 'i64' }, []],
  ];
  for (const [c, values] of shapes) {
    const graph = load({ ...RELU, outputs: ['y', 'c'], initializers: { c } });
    const data = graph.value(graph.outputs[1]?.value as number).data;
    assert.equal(data && numbers(data), values);
  }
});

test('damaged tensors are errors', () => {
  fails(
    withConstant({ shape: [3], data: [1, 2] }),
    /initializer "c" holds 2 elements of type float, its shape \[3\] needs 3/,
  );
  fails(withConstant({ shape: [2], raw: new Uint8Array(7) }), /holds 1.75 elements/);
  fails(withConstant({ shape: [2], fields: { floatData: [1] } }), /holds 1 elements/);
  fails(withConstant({ shape: [2] }), /holds 0 elements/);
  fails(withConstant({ shape: [-2], data: [1, 2] }), /impossible shape \[-2\]/);
  fails(withConstant({ shape: [2 ** 40, 2 ** 40], data: [1] }), /impossible shape/);
  fails(withConstant({ shape: [2 ** 31], data: [1] }), /impossible shape/);
  fails(withConstant({ shape: [1], dtype: 'i8', fields: { int32Data: [300] } }), /holds 300, which is no i8/);
});

test('data in other files need a reader, and stay beside the model', () => {
  const external = (location: string, offset?: number, length?: number): ModelSpec =>
    withConstant({ shape: [2], fields: externalFields(location, offset, length) });
  const weights = new Uint8Array(Float32Array.of(9, 1, 2).buffer);
  const readExternal = (location: string): Uint8Array => {
    assert.is(location, 'w.bin');
    return weights;
  };
  assert.equal(constantOf(load(external('w.bin', 4, 8), { readExternal })), [1, 2]);
  assert.equal(constantOf(load(external('w.bin', 4), { readExternal })), [1, 2]);
  fails(external('w.bin'), /lies in another file, "w.bin"[\s\S]*save_as_external_data=False/);
  fails(external('w.bin', 4, 80), /bytes 4 to 84 of "w.bin", which has 12/, { readExternal });
  fails(external('w.bin', -4), /impossible place/, { readExternal });
  for (const location of ['../w.bin', '/etc/passwd', 'a/../../b', 'C:\\w', '..\\w', ''])
    fails(external(location), /not a file beside the model/, { readExternal });
});

test('sizes that the model leaves open', () => {
  const shapeOf = (dims: ModelSpec['inputs'], options?: OnnxOptions): readonly number[] => {
    const graph = load({ ...RELU, inputs: dims as NonNullable<ModelSpec['inputs']> }, options);
    return graph.value(graph.inputs[0] as number).type.shape;
  };
  assert.equal(shapeOf({ x: ['N', 4] }), [1, 4]);
  assert.equal(shapeOf({ x: [null, 4] }, { batch: 8 }), [8, 4]);
  assert.equal(shapeOf({ x: [0, 4] }), [1, 4]);
  assert.equal(shapeOf({ x: [-1, 4] }), [1, 4]);
  assert.equal(shapeOf({ x: ['N', 'N'] }, { batch: 2 }), [2, 2]);
  assert.equal(shapeOf({ x: [] }), []);
  assert.equal(shapeOf({ x: ['N', 'C'] }, { inputShapes: { x: [3, 5] } }), [3, 5]);
  assert.equal(shapeOf({ x: { shape: null } }, { inputShapes: { x: [3] } }), [3]);
  const open = { ...RELU, inputs: { x: ['N', 3, 'height', null] } };
  fails(open, /"x" has an open size: height, dimension 3\n {2}.*--input-shape x=1x3x224x224/);
  fails({ ...RELU, inputs: { x: { shape: null } } }, /--input-shape x=1x3x224x224/);
  fails(open, /does not fit input "x", which is \[N,3,height,\?\]/, { inputShapes: { x: [1, 4, 8, 8] } }, 'usage');
  fails(open, /does not fit/, { inputShapes: { x: [1, 3, 8] } }, 'usage');
  fails(open, /is not a shape/, { inputShapes: { x: [1, 3, 8, 0.5] } }, 'usage');
  fails(RELU, /no input "z"\n {2}Its inputs are x\./, { inputShapes: { z: [1] } }, 'usage');
  fails(RELU, /a batch of 4 fits no input/, { batch: 4 }, 'usage');
  fails(RELU, /a batch of 0/, { batch: 0 }, 'usage');
  fails({ ...RELU, inputs: { x: [1, 2 ** 40] } }, /impossible shape/);
});

test('element types of inputs', () => {
  const inputType = (dtype: NonNullable<TensorSpec['dtype']>): string => {
    const graph = load({
      inputs: { x: { shape: [2], dtype } },
      outputs: ['y'],
      nodes: [{ op: 'Cast', inputs: ['x'], outputs: ['y'], attrs: { to: dtype === 'f32' ? 6 : 1 } }],
    });
    return graph.value(graph.inputs[0] as number).type.dtype;
  };
  for (const dtype of ['f32', 'u8', 'i8', 'i32', 'i64'] as const) assert.is(inputType(dtype), dtype);
  const notes: string[] = [];
  load({ ...RELU, inputs: { x: { shape: [1], dtype: DataType.FLOAT16 } } }, { onNote: (note) => notes.push(note) });
  assert.equal(notes, ['input "x" takes float32 instead of float16']);
  fails({ ...RELU, inputs: { x: { shape: [1], dtype: DataType.STRING } } }, /input "x" has elements of type string/);
  fails({ ...RELU, graphFields: { input: [{ name: 'x' }] } }, /input "x" is not a tensor/);
});

test('constants: Constant nodes, Identity of constants and shape arithmetic are folded and recorded', () => {
  const graph = load({
    inputs: { x: [2, 6] },
    outputs: ['y'],
    nodes: [
      { op: 'Shape', inputs: ['x'], outputs: ['shape'] },
      { op: 'Constant', outputs: ['zero'], attrs: { value: { tensor: { shape: [1], dtype: 'i64', data: [0] } } } },
      { op: 'Gather', inputs: ['shape', 'zero'], outputs: ['rows'] },
      { op: 'Identity', inputs: ['minus'], outputs: ['minus2'] },
      { op: 'Concat', inputs: ['rows', 'three', 'minus2'], outputs: ['target'], attrs: { axis: 0 } },
      { op: 'Reshape', inputs: ['x', 'target'], outputs: ['r'] },
      { op: 'Dropout', inputs: ['r'], outputs: ['d'] },
      { op: 'Relu', inputs: ['d'], outputs: ['y'] },
    ],
    initializers: { minus: { shape: [1], dtype: 'i64', data: [-1] }, three: { shape: [1], dtype: 'i64', data: [3] } },
  });
  assert.equal(graph.output(graph.nodes.find((n) => n.id === 5) as Node).type.shape, [2, 3, 2]);
  assert.equal([...graph.folded.keys()], [0, 1, 2, 3, 4]);
  assert.equal(graph.folded.get(1), { op: 'Constant', host: null, how: 'its result is constant' });
  assert.equal(
    [...graph.values.values()].filter((v) => v.data).map((v) => v.name),
    [],
    'what only gave a shape leaves nothing behind',
  );
});

test('folding does not go through a grid, but through plain floats', () => {
  const graph = load({
    inputs: { x: [2] },
    outputs: ['y'],
    nodes: [
      { op: 'Mul', inputs: ['a', 'a'], outputs: ['square'] },
      { op: 'QuantizeLinear', inputs: ['square', 's'], outputs: ['q'] },
      { op: 'DequantizeLinear', inputs: ['q', 's'], outputs: ['dq'] },
      { op: 'Add', inputs: ['x', 'dq'], outputs: ['y'] },
    ],
    initializers: { a: { shape: [2], data: [2, 3] }, s: { shape: [], data: [0.5] } },
  });
  assert.equal(
    graph.nodes.map((n) => n.id),
    [1, 2, 3],
  );
  const square = graph.input(graph.nodes[0] as Node, 0);
  assert.is(square.name, 'square');
  assert.equal(square.data && numbers(square.data), [4, 9]);
});

test('a weight that is read twice stays one constant, and keeps its name when it gets a grid', () => {
  const dequantize = (output: string) => ({ op: 'DequantizeLinear', inputs: ['w', 's'], outputs: [output] });
  const graph = load({
    inputs: { x: [2] },
    outputs: ['y'],
    nodes: [
      dequantize('a'),
      dequantize('b'),
      { op: 'Add', inputs: ['a', 'b'], outputs: ['c'] },
      { op: 'Add', inputs: ['x', 'c'], outputs: ['y'] },
    ],
    initializers: { w: { shape: [2], dtype: 'i8', data: [1, 2] }, s: { shape: [], data: [0.5] } },
  });
  const names = [...graph.values.values()].filter((v) => v.data).map((v) => v.name);
  assert.equal(names, ['w']);
});

test('helper nodes count on from the source, and the source id goes to the node that computes', () => {
  const graph = load({
    inputs: { x: [1, 1, 4, 4] },
    outputs: ['y'],
    nodes: [
      { op: 'QuantizeLinear', inputs: ['x', 's'], outputs: ['q'] },
      { op: 'MaxPool', name: 'on codes', inputs: ['q'], outputs: ['r'], attrs: { kernel_shape: [2, 2] } },
      { op: 'DequantizeLinear', inputs: ['r', 's'], outputs: ['y'] },
    ],
    initializers: { s: { shape: [], data: [0.5] } },
  });
  const ofPool = graph.nodes.filter((n) => n.origin.name === 'on codes');
  assert.equal(
    ofPool.map((n) => [n.op, n.id >= 3 ? 'fresh' : n.id]),
    [
      ['dequantize', 'fresh'],
      ['pool2d', 1],
      ['quantize', 'fresh'],
    ],
  );
  assert.is(graph.output(ofPool[2] as Node).name, 'r', 'the result has the name of the source');
});

test('unsorted nodes are sorted, ids stay; cycles and double definitions are errors', () => {
  const a = { op: 'Relu', name: 'a', inputs: ['x'], outputs: ['u'] };
  const b = { op: 'Relu', name: 'b', inputs: ['u'], outputs: ['v'] };
  const c = { op: 'Relu', name: 'c', inputs: ['v'], outputs: ['y'] };
  const graph = load({ ...RELU, nodes: [c, a, b] });
  assert.equal(
    graph.nodes.map((n) => [n.id, n.origin.name]),
    [
      [1, 'a'],
      [2, 'b'],
      [0, 'c'],
    ],
  );
  fails({ ...RELU, nodes: [{ ...a, inputs: ['v'] }, b, c] }, /Relu \([01]\) "[ab]": the graph has a cycle/);
  fails({ ...RELU, nodes: [{ ...a, inputs: ['u'] }] }, /cycle through "u"/);
  fails(
    { ...RELU, nodes: [a, { ...b, outputs: ['u'] }, c] },
    /Relu \(1\) "b": "u" is also an output of Relu \(0\) "a"/,
  );
  const intoInput = { ...RELU, inputs: { x: [1], z: [1] }, nodes: [{ ...a, inputs: ['z'], outputs: ['x'] }] };
  fails(intoInput, /Relu \(0\) "a": "x" is also an input/);
});

test('a long chain in reverse order does not exhaust the stack', () => {
  const n = 20_000;
  const nodes = Array.from({ length: n }, (_, i) => ({
    op: 'Relu',
    inputs: [i ? `v${i}` : 'x'],
    outputs: [`v${i + 1}`],
  }));
  const graph = importOnnx(model({ ...RELU, outputs: [`v${n}`], nodes: nodes.reverse() }));
  assert.is(graph.nodes.length, n);
  assert.is(graph.nodes[0]?.id, n - 1);
});

test('damaged graphs are errors that name the place', () => {
  const relu = { op: 'Relu', name: 'r', inputs: ['x'], outputs: ['y'] };
  fails(
    { ...RELU, nodes: [{ ...relu, inputs: ['nowhere'] }] },
    /Relu \(0\) "r": it reads "nowhere", which nothing makes/,
  );
  fails({ ...RELU, nodes: [{ ...relu, inputs: [] }] }, /Relu \(0\) "r": input 0 is missing/);
  fails({ ...RELU, outputs: ['z'] }, /nothing makes the output "z"/);
  fails({ ...RELU, outputs: ['y', 'y'] }, /two outputs are named "y"/);
  fails({ ...RELU, nodes: [] }, /the graph has no nodes/);
  fails({ ...RELU, outputs: [] }, /the graph has no outputs/);
  fails({ ...RELU, graphFields: { input: [] } }, /it reads "x", which nothing makes/);
  fails({ ...RELU, inputs: {}, graphFields: { initializer: [{ name: 'x' }, { name: 'x' }] } }, /two initializers/);
  const error = fails({ ...RELU, outputs: ['z'] }, /^net\.onnx: nothing makes/, { file: 'net.onnx' });
  assert.is(error.where.file, 'net.onnx');
});

test('wrong shapes and attributes name the node', () => {
  const conv = { op: 'Conv', name: 'c1', inputs: ['x', 'w'], outputs: ['y'] };
  const spec = {
    ...RELU,
    inputs: { x: [1, 3, 4, 4] },
    nodes: [conv],
    initializers: { w: { shape: [2, 2, 1, 1], data: [1, 2, 3, 4] } },
  };
  fails(spec, /^m\.onnx: Conv \(0\) "c1": /, { file: 'm.onnx' });
  fails(
    { ...spec, nodes: [{ ...conv, attrs: { group: 'two' } }] },
    /Conv \(0\) "c1": attribute "group" is not an integer/,
  );
  const cast = { op: 'Cast', inputs: ['x'], outputs: ['y'] };
  fails({ ...RELU, nodes: [cast] }, /Cast \(0\): attribute "to" is missing/);
  const reference = { fields: { type: 2, refAttrName: 'outer' } };
  fails({ ...RELU, nodes: [{ ...cast, attrs: { to: reference } }] }, /refers to an attribute of a function/);
});

test('attributes without a type (IR version 1) are read by what they hold', () => {
  const graph = load({
    ...RELU,
    inputs: { x: [2, 3] },
    nodes: [{ op: 'Transpose', inputs: ['x'], outputs: ['y'], attrs: { perm: { fields: { ints: [1, 0] } } } }],
  });
  assert.equal(graph.output(graph.nodes[0] as Node).type.shape, [3, 2]);
});

test('operator sets 1 to 25 are read, others are errors', () => {
  for (const opset of [1, 7, 13, 21, 25]) load({ ...RELU, opset });
  load({ ...RELU, opset: null, opsets: { 'ai.onnx': 13 } });
  load({ ...RELU, opsets: { 'ai.onnx.ml': 2 } });
  fails({ ...RELU, opset: 0 }, /operator set 0 is not supported, only 1 to 25\n.*opset_version/);
  fails({ ...RELU, opset: 26 }, /operator set 26/);
  fails({ ...RELU, opset: null }, /does not say which ONNX operator set/);
});

test('everything that is not supported is reported at once', () => {
  const error = fails(
    {
      inputs: { x: [1, 4] },
      outputs: ['y'],
      nodes: [
        { op: 'LSTM', name: 'rnn', inputs: ['x'], outputs: ['a'] },
        { op: 'Relu', inputs: ['a'], outputs: ['b'] },
        { op: 'Gelu', domain: 'com.microsoft', inputs: ['b'], outputs: ['c'] },
        { op: 'Pad', name: 'odd', attrs: { mode: 'odd' }, inputs: ['typed'], outputs: ['d'] },
        { op: 'NonZero', inputs: ['x'], outputs: ['typed'] },
        { op: 'Add', inputs: ['d', 'd'], outputs: ['y'] },
      ],
      valueInfo: { typed: [1, 4] },
    },
    /^m\.onnx: 4 nodes are not supported: LSTM, com\.microsoft\.Gelu, NonZero, Pad\n/,
    { file: 'm.onnx' },
  );
  const lines = error.message.split('\n').slice(1);
  assert.match(lines[0] as string, /LSTM \(0\) "rnn": there is no such operator/);
  assert.match(lines[1] as string, /Gelu \(2\): of the operator set "com\.microsoft", qc has only/);
  assert.match(lines[3] as string, /Pad \(3\) "odd": /);
});

test('a long list of unsupported nodes is cut, with counts', () => {
  const nodes = Array.from({ length: 50 }, (_, i) => ({ op: 'NonZero', inputs: ['x'], outputs: [`v${i}`] }));
  const { message } = fails({ ...RELU, nodes, outputs: ['v0'] }, /50 nodes are not supported: NonZero x50/);
  assert.is(message.split('\n').length, 22);
  assert.match(message, /\.\.\. and 30 more$/);
});

test('files that are no models', () => {
  const remedy = /Give a complete \.onnx file/;
  const bytes = model(QDQ);
  const jpeg = new Uint8Array([0xff, 0xd8, 0xff, 0xe0, 0, 0x10, 0x4a, 0x46, 0x49, 0x46, 0, 1, 1, 0, 0, 1]);
  for (const [what, content] of Object.entries({
    empty: new Uint8Array(),
    truncated: bytes.subarray(0, bytes.length - 20),
    jpeg,
    text: new TextEncoder().encode('<!DOCTYPE html><html>not found</html>'),
    zeros: new Uint8Array(100),
  })) {
    const error = fails(content, /^file\.onnx: not an ONNX model/, { file: 'file.onnx' });
    assert.match(error.where.remedy ?? '', remedy, what);
  }
});

test('truncated anywhere, a model is an error or (where the rest was optional) still a graph', () => {
  const bytes = model(QDQ);
  for (let length = 0; length < bytes.length; length++) {
    try {
      importOnnx(bytes.subarray(0, length));
    } catch (error) {
      assert.instance(error, QcError);
      assert.is((error as QcError).kind, 'model', (error as QcError).stack);
    }
  }
});

test('mutated bytes throw model errors only', () => {
  const seeds = [
    model(QDQ),
    model({
      inputs: { x: ['N', 2, 6, 6] },
      outputs: ['y'],
      nodes: [
        { op: 'MaxPool', inputs: ['x'], outputs: ['p'], attrs: { kernel_shape: [2, 2], strides: [2, 2] } },
        { op: 'Shape', inputs: ['p'], outputs: ['s'] },
        { op: 'Gather', inputs: ['s', 'zero'], outputs: ['n'] },
        { op: 'Unsqueeze', inputs: ['n', 'axes'], outputs: ['n1'] },
        { op: 'Concat', inputs: ['n1', 'rest'], outputs: ['t'], attrs: { axis: 0 } },
        { op: 'Reshape', inputs: ['p', 't'], outputs: ['r'] },
        { op: 'Gemm', inputs: ['r', 'w', 'b'], outputs: ['g'], attrs: { transB: 1 } },
        { op: 'Softmax', inputs: ['g'], outputs: ['y'], attrs: { axis: -1 } },
      ],
      initializers: {
        zero: { shape: [], dtype: 'i64', data: [0] },
        axes: { shape: [1], dtype: 'i64', data: [0] },
        rest: { shape: [1], dtype: 'i64', data: [-1] },
        w: { shape: [2, 18], data: Array.from({ length: 36 }, (_, i) => i) },
        b: { shape: [2], data: [1, 2] },
      },
    }),
  ];
  for (const bytes of seeds) importOnnx(bytes);
  const mutation = fc.record({ at: fc.nat(5000), byte: fc.nat(255), kind: fc.constantFrom('set', 'insert', 'delete') });
  const property = fc.property(
    fc.constantFrom(...seeds),
    fc.array(mutation, { minLength: 1, maxLength: 5 }),
    (seed, list) => {
      const bytes = [...seed];
      for (const { at, byte, kind } of list) {
        const place = at % bytes.length;
        if (kind === 'set') bytes[place] = byte;
        else if (kind === 'insert') bytes.splice(place, 0, byte);
        else bytes.splice(place, 1);
      }
      try {
        verify(importOnnx(Uint8Array.from(bytes)), OPS);
      } catch (error) {
        assert.instance(error, QcError, String(error instanceof Error ? error.stack : error));
        assert.is((error as QcError).kind, 'model', `${(error as QcError).stack}\n${(error as Error).cause}`);
      }
    },
  );
  fc.assert(property, { numRuns: 20_000, interruptAfterTimeLimit: 6000 });
});

test('nodes with any operands and attributes throw model errors only', () => {
  const size = fc.constantFrom<number>(1, 2, 3, 4);
  const shape = fc.oneof(fc.array(size, { minLength: 4, maxLength: 4 }), fc.array(size, { maxLength: 3 }));
  const integer = fc.constantFrom(0, 1, 2, 3, -1, -2, 1_000_000, 2 ** 31, 2 ** 53, -(2 ** 53));
  const constant = fc
    .record({
      shape,
      dtype: fc.constantFrom('f32', 'i64', 'i8', 'u8', 'i32', 'bool'),
      seed: fc.array(integer, { minLength: 1 }),
    })
    .map(({ shape, dtype, seed }): TensorSpec => {
      const n = shape.reduce((a, b) => a * b, 1);
      const data = Array.from({ length: n }, (_, i) => seed[i % seed.length] as number);
      return { shape, dtype: dtype as 'f32', data: dtype === 'f32' ? data.map((x) => x / 2) : data };
    });
  const NAMES =
    'axis axes kernel_shape strides pads dilations group perm to transA transB keepdims auto_pad ceil_mode value';
  const value = fc.oneof(integer, fc.array(integer, { maxLength: 4 }), fc.constantFrom('SAME_UPPER', 'VALID'));
  const spec = fc.record({
    op: fc.constantFrom(...ONNX_IMPORTERS.keys()),
    opset: fc.constantFrom(7, 11, 13, 18, 21),
    x: fc.record({ shape, dtype: fc.constantFrom<'f32' | 'i64' | 'u8'>('f32', 'f32', 'f32', 'f32', 'i64', 'u8') }),
    c: constant,
    d: constant,
    inputs: fc.constantFrom(['x'], ['x', 'c'], ['x', 'c', 'd'], ['c'], ['c', 'd'], ['x', '', 'c'], []),
    attrs: fc.dictionary(fc.constantFrom(...NAMES.split(' ')), value, { maxKeys: 4, noNullPrototype: true }),
  });
  const property = fc.property(spec, ({ op, opset, x, c, d, inputs, attrs }) => {
    const nodes = [{ op, inputs, outputs: ['y'], attrs }];
    try {
      verify(importOnnx(model({ opset, inputs: { x }, outputs: ['y'], nodes, initializers: { c, d } })), OPS);
    } catch (error) {
      assert.instance(error, QcError, String(error instanceof Error ? error.stack : error));
      assert.is((error as QcError).kind, 'model', `${(error as QcError).stack}\n${(error as Error).cause}`);
    }
  });
  fc.assert(property, { numRuns: 10_000, interruptAfterTimeLimit: 4000 });
});

test('integers where reals are computed are not supported', () => {
  const spec = { ...RELU, inputs: { x: { shape: [2], dtype: 'i64' as const } } };
  fails(spec, /Relu \(0\) "relu0": .*i64/);
});

test('names in messages are short and printable', () => {
  const name = `\u001b[31m\n${'long'.repeat(1000)}`;
  const { message } = fails({ ...RELU, outputs: [name] }, /nothing makes the output/);
  assert.ok(message.length < 200);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not occur
  assert.not.match(message, /[\u0000-\u001f]/);
});

const MODELS = new URL('../../../shared/models/', import.meta.url);
if (skipUnless(existsSync(MODELS), 'the shared models import', 'no ../shared/models'))
  for (const file of readdirSync(MODELS).filter((name) => name.endsWith('.onnx')))
    test(`${file} imports`, () => {
      const graph = importOnnx(readFileSync(new URL(file, MODELS)), { file });
      verify(graph, OPS);
      const described = JSON.parse(readFileSync(new URL(file.replace(/onnx$/, 'json'), MODELS), 'utf8'));
      assert.is(graph.nodes.length + graph.folded.size, described.nodes);
    });

test.run();
