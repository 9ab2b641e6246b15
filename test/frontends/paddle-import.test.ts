/** Paddle programs and parameter files: forms that are read, and damage that is refused. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compile, lower } from '../../src/compile.js';
import { importModel } from '../../src/frontends/import-model.js';
import { decodeProgram, type OpDesc, type ProgramDesc, type VarDesc } from '../../src/frontends/paddle/proto.js';
import type { Graph } from '../../src/ir/graph.js';
import { numbers } from '../../src/ir/tensor.js';
import { OPS } from '../../src/ops/index.js';
import { interpret, outputsOf } from '../../src/ops/interpret.js';
import { type CompileOptions, resolveOptions } from '../../src/options.js';
import { createLoader } from '../../src/runtime/loader.js';
import { QcError } from '../../src/support/errors.js';
import type { ModelFiles } from '../../src/support/model-files.js';
import {
  combined,
  type Data,
  encodeParameter,
  encodeProgram,
  floats,
  folderOf,
  ints,
  type ModelInput,
  type OpInput,
  opDesc,
  paddleModel,
  programOf,
} from '../support/paddle.js';
import { netInput, quantizedNet } from '../support/paddle-nets.js';

const relu = (x: string, out: string) => ({ type: 'relu', inputs: { X: x }, outputs: { Out: out } });

const PARAMETERS: Readonly<Record<string, Data>> = {
  conv10_w: floats([2, 1, 1, 1], [2, -1]),
  conv2_w: floats([2, 2, 1, 1], [1, 2, 3, 4]),
  Upper: floats([2], [10, 20]),
};

/** Two convolutions and a bias: parameters whose names sort otherwise by number than by bytes. */
const NET: ModelInput = {
  inputs: { x: { shape: [-1, 1, 2, 2] } },
  parameters: PARAMETERS,
  ops: [
    { type: 'conv2d', inputs: { Input: 'x', Filter: 'conv10_w' }, outputs: { Output: 'a' } },
    { type: 'conv2d', inputs: { Input: 'a', Filter: 'conv2_w' }, outputs: { Output: 'b' } },
    { type: 'elementwise_add', inputs: { X: 'b', Y: 'Upper' }, outputs: { Out: 'y' }, attrs: { axis: 1 } },
  ],
  outputs: ['y'],
};

const importWith = (files: ModelFiles, options: Partial<Parameters<typeof importModel>[1]> = {}): Graph =>
  importModel(files, { file: 'm.pdmodel', ...options });

/** The first output of a model on consecutive numbers. */
function evaluate(files: ModelFiles, options: Partial<Parameters<typeof importModel>[1]> = {}): number[] {
  const graph = importWith(files, options);
  const feeds = Object.fromEntries(
    graph.inputs.map((id) => {
      const { name, type } = graph.value(id);
      const data = Float32Array.from({ length: type.shape.reduce((a, b) => a * b, 1) }, (_, i) => i + 1);
      return [name, { type, data }];
    }),
  );
  return numbers(Object.values(outputsOf(graph, interpret(graph, OPS, feeds)))[0] as never);
}

const WANTED = [1, 2, 3, 4].map((v) => 2 * v - 2 * v + 10).concat([1, 2, 3, 4].map((v) => 6 * v - 4 * v + 20));

const fails = (action: () => unknown, message: RegExp, kind = 'model'): void => {
  try {
    action();
  } catch (error) {
    assert.instance(error, QcError, String(error));
    assert.is((error as QcError).kind, kind, (error as QcError).format());
    assert.match((error as QcError).format(), message);
    return;
  }
  assert.unreachable(`should fail with ${message}`);
};

test('parameters in one file are in the order of their names as bytes', () => {
  assert.equal(evaluate(paddleModel(NET)), WANTED);
  assert.equal(evaluate(paddleModel(NET, 'packed')), WANTED);
});

test('parameters in one file each, and in a file of any name', () => {
  const program = encodeProgram(programOf(NET));
  const each = Object.fromEntries(Object.entries(PARAMETERS).map(([name, data]) => [name, encodeParameter(data)]));
  assert.equal(evaluate(folderOf('__model__', { __model__: program, ...each }), { file: '__model__' }), WANTED);
  const params = combined(PARAMETERS);
  assert.equal(evaluate(folderOf('__model__', { __model__: program, params }), { file: 'a/__model__' }), WANTED);
  assert.equal(evaluate(folderOf('net', { net: program, w: params }), { file: 'net', paramsFile: 'w' }), WANTED);
  assert.equal(evaluate(folderOf('m.pdmodel', { 'm.pdmodel': program, 'other.pdiparams': params })), WANTED);
});

test('quantized programs in one file each give the same module', async () => {
  const net = quantizedNet('qat');
  const each = Object.fromEntries(
    Object.entries(net.parameters ?? {}).map(([name, data]) => [name, encodeParameter(data)]),
  );
  const split = folderOf('__model__', { __model__: encodeProgram(programOf(net), 'packed'), ...each });
  const [a, b] = await Promise.all([
    compile(paddleModel(net), { file: 'm.pdmodel' }),
    compile(split, { file: '__model__' }),
  ]);
  const run = ({ wasm }: typeof a): number[] =>
    Array.from(
      createLoader('m', () => wasm as never)
        .loadSync(wasm as never)
        .run({ x: netInput() }).y as Float32Array,
    );
  assert.equal(run(a), run(b));
  assert.is.not(a.report.hashes.model, b.report.hashes.model);
});

test('variables that are written again become values of their own', () => {
  const ops: readonly OpInput[] = [
    { type: 'scale', inputs: { X: 'x' }, outputs: { Out: 'x' }, attrs: { scale: { float: 2 }, bias: { float: 1 } } },
    { type: 'square', inputs: { X: 'x' }, outputs: { Out: 'x' } },
    relu('x', 'y'),
    { type: 'scale', inputs: { X: 'x' }, outputs: { Out: 'x' }, attrs: { scale: { float: -1 } } },
    { type: 'elementwise_add', inputs: { X: 'x', Y: 'y' }, outputs: { Out: 'y' } },
  ];
  assert.equal(evaluate(paddleModel({ inputs: { x: { shape: [3] } }, ops, outputs: ['y'] })), [0, 0, 0]);
  assert.equal(
    evaluate(paddleModel({ inputs: { x: { shape: [3] } }, ops: ops.slice(0, 3), outputs: ['y'] })),
    [9, 25, 49],
  );
});

test('feed and fetch give the order and the names of inputs and outputs', () => {
  const program = programOf({
    inputs: { b: { shape: [1] }, a: { shape: [1] } },
    ops: [relu('a', 'p'), relu('b', 'q')],
    outputs: ['q', 'p'],
  });
  const graph = importWith(folderOf('m', { m: encodeProgram(program) }));
  assert.equal(
    graph.inputs.map((id) => graph.value(id).name),
    ['b', 'a'],
  );
  assert.equal(
    graph.outputs.map((o) => o.name),
    ['q', 'p'],
  );
  // Columns say the order, not the places of the ops.
  const [block] = program.blocks as [{ vars: VarDesc[]; ops: OpDesc[] }];
  const swapped = { ...block, ops: [block.ops[1] as OpDesc, block.ops[0] as OpDesc, ...block.ops.slice(2)] };
  const again = importWith(folderOf('m', { m: encodeProgram({ ...program, blocks: [swapped] }) }));
  assert.equal(
    again.inputs.map((id) => again.value(id).name),
    ['b', 'a'],
  );
  assert.is(graph.nodes[0]?.id, 2, 'ids are places in the block');
});

test('open sizes are bound by the batch and by given shapes', () => {
  const net: ModelInput = { inputs: { x: { shape: [-1, 3, -1, -1] } }, ops: [relu('x', 'y')], outputs: ['y'] };
  const shapeOf = (options: CompileOptions): readonly number[] => {
    const { graph } = lower(paddleModel(net), resolveOptions({ file: 'm.pdmodel', ...options }));
    return graph.value(graph.inputs[0] as number).type.shape;
  };
  assert.equal(shapeOf({ inputShapes: { x: [2, 3, 8, 6] } }), [2, 3, 8, 6]);
  fails(() => shapeOf({}), /input "x" has an open size: \[-1,3,-1,-1\][\s\S]*--input-shape x=1x3x224x224/);
  fails(() => shapeOf({ inputShapes: { y: [1] } }), /has no input "y"[\s\S]*Its inputs are x/, 'usage');
  fails(() => shapeOf({ inputShapes: { x: [1, 3] } }), /does not fit input "x"/, 'usage');
  const fixed = paddleModel({ ...net, inputs: { x: { shape: [1, 3, 32, 100] } } });
  fails(() => lower(fixed, resolveOptions({ file: 'm.pdmodel', batch: 2 })), /batch of 2 fits no input/, 'usage');
  const other = lower(fixed, resolveOptions({ file: 'm.pdmodel', inputShapes: { x: [1, 3, 48, 192] } }));
  assert.match(other.notes.join(), /as asked for; the program states/);
});

test('everything that is not supported is reported at once', () => {
  const net: ModelInput = {
    inputs: { x: { shape: [1, 4] } },
    ops: [
      { type: 'lstm', inputs: { Input: 'x' }, outputs: { Hidden: 'h' } },
      relu('h', 'r'),
      { type: 'while', inputs: { X: 'x' }, outputs: { Out: 'w' } },
      { type: 'relu', inputs: { X: 'x' }, outputs: { Out: 'y' } },
    ],
    outputs: ['y', 'w'],
  };
  fails(
    () => importWith(paddleModel(net)),
    /2 nodes are not supported: lstm, while[\s\S]*lstm \(1\) "h"[\s\S]*while \(3\)/,
  );
});

/** A program after a change of its block. */
const changed = (change: (block: { vars: VarDesc[]; ops: OpDesc[] }) => void): ModelFiles => {
  const program = programOf(NET);
  const [block] = program.blocks;
  const copy = { vars: [...(block?.vars ?? [])], ops: [...(block?.ops ?? [])] };
  change(copy);
  const files = {
    'm.pdmodel': encodeProgram({ ...program, blocks: [copy] } as ProgramDesc),
    'm.pdiparams': combined(PARAMETERS),
  };
  return folderOf('m.pdmodel', files);
};

test('programs that make no sense are refused with their op', () => {
  const renamed = (from: string, to: string) =>
    changed(({ ops }) => {
      const at = ops.findIndex((op) => [...op.inputs.values()].flat().includes(from));
      const op = ops[at] as OpDesc;
      ops[at] = {
        ...op,
        inputs: new Map([...op.inputs].map(([slot, names]) => [slot, names.map((n) => (n === from ? to : n))])),
      };
    });
  fails(() => importWith(renamed('a', 'nothing')), /conv2d \(2\) "b": it reads "nothing", which nothing makes/);
  fails(() => importWith(renamed('y', 'nothing')), /nothing makes the output "nothing"/);
  fails(() => importWith(changed(({ ops }) => void ops.splice(0))), /has no ops/);
  fails(() => importWith(changed(({ ops }) => void ops.pop())), /fetches no output/);
  fails(
    () =>
      importWith(
        changed(({ ops }) => void ops.push(opDesc({ type: 'fetch', inputs: { X: 'y' }, outputs: { Out: 'fetch' } }))),
      ),
    /two outputs are named "y"/,
  );
  const wide = { ...NET, parameters: { ...PARAMETERS, conv2_w: floats([2, 3, 1, 1], [1, 2, 3, 4, 5, 6]) } };
  fails(() => importWith(paddleModel(wide)), /conv2d \(2\) "b": weights \[2, 3, 1, 1\] do not fit/);
  fails(() => importWith(folderOf('m', { m: new Uint8Array() }), { file: 'm.pdmodel' }), /it is empty/);
  fails(
    () => importWith(folderOf('m', { m: new TextEncoder().encode('{"base_code":1}') })),
    /a model in JSON[\s\S]*FLAGS_enable_pir_api/,
  );
});

test('damaged parameters are refused before memory is taken for them', () => {
  const program = encodeProgram(programOf(NET));
  const good = combined(PARAMETERS);
  const withParams = (params: Uint8Array): ModelFiles =>
    folderOf('m.pdmodel', { 'm.pdmodel': program, 'm.pdiparams': params });
  const patched = (at: number, bytes: readonly number[]): ModelFiles => {
    const copy = Uint8Array.from(good);
    copy.set(bytes, at);
    return withParams(copy);
  };
  for (const length of [0, 3, 12, 19, 25, 33, good.length - 1])
    fails(
      () => importWith(withParams(good.subarray(0, length))),
      /m\.pdiparams: parameter ".*" needs \d+ bytes at \d+/,
    );
  fails(
    () => importWith(withParams(Buffer.concat([good, Buffer.from([0])]))),
    /3 parameters leave 1 bytes of the file unread/,
  );
  fails(() => importWith(patched(0, [1])), /is not in the known stream format/);
  fails(() => importWith(patched(4, [255, 255, 255, 255, 255, 255, 255, 127])), /levels of offsets/);
  fails(() => importWith(patched(12, [1])), /is not in the known tensor format/);
  fails(() => importWith(patched(16, [255, 255, 255, 127])), /needs 2147483647 bytes at 20/);
  fails(() => importWith(patched(16, [255, 255, 255, 255])), /needs 4294967295 bytes at 20/);
  // Other dimensions than the program says, and a type that qc does not have.
  fails(
    () => importWith(withParams(combined({ ...PARAMETERS, Upper: floats([1, 2], [1, 2]) }))),
    /is fp32 \[1,2\] in the file, the program says fp32 \[2\]/,
  );
  fails(
    () => importWith(withParams(combined({ ...PARAMETERS, Upper: ints([2], [1, 2]) }))),
    /is int32 \[2\] in the file, the program says fp32 \[2\]/,
  );
  const huge: ModelInput = {
    ...NET,
    parameters: { ...PARAMETERS, Upper: { dtype: 'f32', shape: [2 ** 40, 2 ** 40], values: [] } },
  };
  fails(() => importWith(paddleModel(huge)), /impossible shape/);
});

test('a missing parameter names its variable', () => {
  const missing = {
    ...NET,
    parameters: { conv10_w: PARAMETERS.conv10_w as Data, conv2_w: PARAMETERS.conv2_w as Data },
  };
  fails(() => importWith(paddleModel(missing)), /elementwise_add \(3\) "y": it reads "Upper", which nothing makes/);
});

test('no damage to a program does more than a model error', () => {
  const net = quantizedNet('qat');
  const files = { 'm.pdiparams': combined(net.parameters ?? {}) };
  const program = encodeProgram(programOf(net));
  const attempt = (bytes: Uint8Array): void => {
    try {
      importWith(folderOf('m.pdmodel', { ...files, 'm.pdmodel': bytes }), { inputShapes: {} });
    } catch (error) {
      const known = error instanceof QcError && ['model', 'usage'].includes(error.kind);
      assert.ok(known, `${(error as Error).stack}`);
    }
  };
  for (let length = 0; length < program.length; length += 61) attempt(program.subarray(0, length));
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(program.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 }),
      (edits) => {
        const copy = Uint8Array.from(program);
        for (const [at, value] of edits) copy[at] = value;
        attempt(copy);
      },
    ),
    { numRuns: 60 },
  );
});

test('a decoded program is what was written, packed or not', () => {
  const program = programOf(
    quantizedNet('onnx-format', { extra: { long: [1, -2, 2 ** 40] }, half: { float: [0.5, -1.25] }, word: 'text' }),
  );
  const plain = (value: unknown): string =>
    JSON.stringify(value, (_, v) =>
      v instanceof Map ? Object.fromEntries(v) : typeof v === 'number' && !Number.isInteger(v) ? Math.fround(v) : v,
    );
  assert.is(plain(decodeProgram(encodeProgram(program))), plain(program));
  assert.is(plain(decodeProgram(encodeProgram(program, 'packed'))), plain(program));
});

test.run();
