/** Functions of one operand: references and modules against onnxruntime, tables on codes. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { identical, outcome } from '../support/compiled.js';
import { Network } from '../support/network.js';
import { checkEverywhere, type EverywhereOptions, type TypedNode } from '../support/op-everywhere.js';
import { hasOrt } from '../support/ort.js';

type Attrs = NonNullable<TypedNode['attrs']>;
const special = [0, -0, 0.5, -0.5, 1.5, 2.5, -2.5, 1, -1, 1e-6, -3];

interface Case {
  readonly op: string;
  readonly opsets: readonly number[];
  readonly attrs?: readonly Attrs[];
  readonly options?: EverywhereOptions;
}

const CASES: readonly Case[] = [
  { op: 'Exp', opsets: [7, 13], options: { between: [-20, 20] } },
  { op: 'Log', opsets: [7, 13], options: { between: [1e-4, 50], first: [0, 1, 1e-30, 1e30] } },
  { op: 'Sqrt', opsets: [7, 13], options: { between: [0, 50], first: [0, 2, 1e-30] } },
  { op: 'Reciprocal', opsets: [7, 13], options: { between: [0.1, 9] } },
  { op: 'Sin', opsets: [7], options: { between: [-100, 100], tolerance: 1e-6 } },
  { op: 'Cos', opsets: [7], options: { between: [-100, 100], tolerance: 1e-6 } },
  ...['Abs', 'Neg', 'Floor', 'Ceil'].map((op) => ({ op, opsets: [7, 13], options: { first: special } })),
  { op: 'Round', opsets: [11], options: { first: special, between: [-9, 9] } },
  { op: 'Erf', opsets: [9, 13], options: { first: special } },
  { op: 'Sign', opsets: [9, 13], options: { first: special } },
  { op: 'Tanh', opsets: [7, 13], options: { between: [-9, 9], first: special } },
  { op: 'Softplus', opsets: [7], options: { between: [-30, 30] } },
  { op: 'Softsign', opsets: [7] },
  { op: 'Mish', opsets: [18], options: { between: [-20, 20] } },
  { op: 'Elu', opsets: [7], attrs: [{}, { alpha: { float: 2 } }, { alpha: 0.3 }] },
  { op: 'Celu', opsets: [12], attrs: [{}, { alpha: { float: 2 } }] },
  { op: 'Selu', opsets: [7], attrs: [{}, { alpha: { float: 2 }, gamma: { float: 3 } }] },
  { op: 'ThresholdedRelu', opsets: [10], attrs: [{}, { alpha: { float: 2 } }, { alpha: -0.5 }] },
  { op: 'Gelu', opsets: [20], attrs: [{}, { approximate: 'none' }, { approximate: 'tanh' }] },
  { op: 'Shrink', opsets: [9], attrs: [{}, { lambd: 1.5 }, { lambd: 1.5, bias: 1.5 }] },
];

if (hasOrt('functions of one operand against onnxruntime')) {
  for (const { op, opsets, attrs = [{}], options } of CASES)
    test(op, async () => {
      for (const opset of opsets)
        for (const a of attrs)
          for (const shape of [[2, 3, 4, 5], [37], []])
            await checkEverywhere({ op, opset, attrs: a, inputs: [shape] }, options);
    });

  test('integers: Abs, Neg and Sign', async () => {
    for (const of of ['i8', 'i32', 'i64'] as const)
      for (const op of ['Abs', 'Neg', 'Sign'])
        await checkEverywhere({ op, inputs: [{ shape: [5, 7], of }] }, { between: [-100, 100], first: [0] });
  });
}

test('between two grids they are tables', async () => {
  const ops = CASES.filter(({ op }) => !['Log', 'Sqrt', 'Reciprocal', 'Celu', 'Mish', 'Gelu', 'Round'].includes(op));
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...ops), fc.integer({ min: 1, max: 1e6 }), async ({ op, attrs }, seed) => {
      const net = new Network(seed);
      const grid = { dtype: seed % 2 ? 'u8' : 'i8', scale: 0.03, zeroPoint: seed % 2 ? 111 : -7 } as const;
      const x = net.fake(net.input('x', [1, 6, 5, 5]), grid);
      const w = () => net.weights([6, 6, 1, 1], { axis: 0 });
      const before = net.fake(net.op('Conv', [x, w()]), grid);
      const y = net.fake(net.op(op, [before], attrs?.at(-1)), { ...grid, scale: 0.05 });
      const last = net.fake(net.op('Conv', [y, w()]), { ...grid, scale: 0.1 });
      const result = await outcome(net.bytes([last]));
      assert.ok(identical(result), op);
      assert.ok(result.report.ops.filter((o) => !o.int8 && !/quantize/i.test(o.type)).length === 0, op);
    }),
    { numRuns: 40 },
  );
});

test.run();
