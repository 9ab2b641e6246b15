/** Elementwise ops of one and two operands, imported, against onnxruntime. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { checkModel, checkNode, expectImportError, type OneNode, oneNode, opsOf } from '../support/op-check.js';
import { hasOrt } from '../support/ort.js';

const scalar = (v: number) => ({ shape: [], data: [v] });

/** ONNX op, attributes, opset, range of the input. */
const UNARY: [string, OneNode['attrs'], number, number][] = [
  ['Relu', {}, 13, 3],
  ['Sigmoid', {}, 13, 30],
  ['Tanh', {}, 13, 12],
  ['HardSwish', {}, 14, 5],
  ['HardSigmoid', {}, 13, 5],
  ['HardSigmoid', { alpha: 1 / 6, beta: { float: 0.5 } }, 13, 5],
  ['LeakyRelu', {}, 13, 3],
  ['LeakyRelu', { alpha: 0.3 }, 16, 3],
  ['Gelu', {}, 20, 4],
  ['Identity', {}, 13, 3],
  ['Dropout', {}, 10, 3],
  ['Dropout', {}, 13, 3],
];

if (hasOrt('elementwise ops against onnxruntime')) {
  for (const [op, attrs = {}, opset, range] of UNARY)
    test(`${op} ${JSON.stringify(attrs)}`, async () => {
      await checkNode({ op, opset, attrs, inputs: [[3, 40]] }, op, { tolerance: 1e-6, range });
    });

  test('Clip with attributes and with inputs', async () => {
    await checkNode({ op: 'Clip', opset: 10, attrs: { min: -0.5, max: { float: 1 } }, inputs: [[5, 9]] });
    await checkNode({ op: 'Clip', opset: 10, inputs: [[5, 9]] });
    for (const opset of [11, 13]) {
      await checkNode({ op: 'Clip', opset, inputs: [[5, 9], scalar(-0.5), scalar(1.25)] });
      await checkNode({ op: 'Clip', opset, inputs: [[5, 9], null, scalar(1.25)] });
      await checkNode({ op: 'Clip', opset, inputs: [[5, 9], scalar(0)] });
      await checkNode({ op: 'Clip', opset, inputs: [[5, 9], scalar(2), scalar(-1)] });
      await checkNode({ op: 'Clip', opset, inputs: [[5, 9], scalar(Number.NEGATIVE_INFINITY), scalar(6)] });
    }
  });

  for (const op of ['Add', 'Sub', 'Mul', 'Div'])
    test(`${op} with broadcasting`, async () => {
      const shapes = [
        [
          [2, 3, 4],
          [2, 3, 4],
        ],
        [[2, 3, 4], [4]],
        [
          [2, 3, 4],
          [3, 1],
        ],
        [
          [3, 1],
          [2, 1, 4],
        ],
        [[2, 3, 4], []],
        [
          [1, 5, 1, 1],
          [1, 5, 6, 7],
        ],
      ];
      for (const inputs of shapes)
        for (const opset of [10, 13]) await checkNode({ op, opset, inputs }, op, { tolerance: 1e-6 });
    });

  test('arithmetic on int64 constants', async () => {
    const list = (...data: number[]) => ({ shape: [data.length], dtype: 'i64' as const, data });
    for (const op of ['Add', 'Sub', 'Mul', 'Div']) {
      const spec = {
        inputs: { x: [2, 3] },
        initializers: { a: list(7, -7, 9), b: list(2), zero: { shape: [], data: [0] } },
        nodes: [
          { op, inputs: ['a', 'b'], outputs: ['whole'] },
          { op: 'Cast', attrs: { to: 1 }, inputs: ['whole'], outputs: ['real'] },
          { op: 'Add', inputs: ['x', 'real'], outputs: ['y'] },
        ],
        outputs: ['y'],
      };
      const graph = await checkModel(spec, op);
      assert.equal(opsOf(graph), ['elementwise_add']);
    }
  });
}

test('what does not fit is refused', () => {
  expectImportError(oneNode({ op: 'Add', inputs: [[2, 3], [4]] }), /do not broadcast/);
  expectImportError(oneNode({ op: 'Gelu', opset: 20, attrs: { approximate: 'other' }, inputs: [[2]] }), /approximate/);
});

test.run();
