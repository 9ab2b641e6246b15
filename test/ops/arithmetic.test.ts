/** Arithmetic of several operands, comparisons and logic: references and modules against onnxruntime. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { opsOf } from '../support/op-check.js';
import { checkEverywhere, type TypedNode } from '../support/op-everywhere.js';
import { hasOrt } from '../support/ort.js';

const X = [2, 3, 4, 5];
const BROADCASTS = [
  [X, X],
  [X, [3, 1, 5]],
  [[4, 1], X],
  [
    [2, 1, 4, 1],
    [3, 1, 5],
  ],
  [X, []],
  [[7], [7]],
] as const;
const typed = (shape: readonly number[], of: 'bool' | 'i32' | 'i64' | 'i8' | 'u8' | 'f32') => ({ shape, of });
const scalar = (data: number, dtype: 'f32' | 'i64' | 'i32' = 'f32') => ({ shape: [], dtype, data: [data] });

if (hasOrt('arithmetic and logic against onnxruntime')) {
  test('Min, Max, Sum and Mean of one to four operands', async () => {
    for (const op of ['Min', 'Max', 'Sum', 'Mean'])
      for (const opset of [8, 13])
        for (const inputs of [[X], [X, X], [X, [3, 1, 5], [5]], [[5], X, [4, 1], X]])
          await checkEverywhere({ op, opset, inputs });
  });

  test('Min and Max of integers, arithmetic on integers', async () => {
    for (const of of ['i32', 'i64'] as const)
      for (const op of ['Min', 'Max', 'Add', 'Sub', 'Mul'])
        await checkEverywhere({ op, inputs: [typed([5, 6], of), typed([6], of)] }, { between: [-90, 90] });
    for (const of of ['i8', 'u8'] as const)
      for (const op of ['Add', 'Sub', 'Mul'])
        await checkEverywhere({ op, opset: 14, inputs: [typed([5, 6], of), typed([6], of)] }, { between: [-90, 90] });
    for (const of of ['i32', 'i64'] as const)
      await checkEverywhere(
        { op: 'Div', inputs: [typed([5, 6], of), { ...list([1, -2, 3, 7, -5, 4], of) }] },
        { between: [-90, 90] },
      );
  });

  test('Mod: the sign of the divisor, or with fmod of the dividend', async () => {
    for (const of of ['i32', 'i64'] as const)
      for (const fmod of [0, 1])
        await checkEverywhere(
          { op: 'Mod', attrs: { fmod }, inputs: [typed([9, 6], of), list([1, -2, 3, 7, -5, 4], of)] },
          { between: [-90, 90] },
        );
    await checkEverywhere({
      op: 'Mod',
      attrs: { fmod: 1 },
      inputs: [[9, 4], { shape: [4], data: [1.5, -2.25, 3, 0.5] }],
    });
  });

  test('Pow: constants become products and roots, others a power', async () => {
    const expected: readonly (readonly [number, string[]])[] = [
      [2, ['square']],
      [3, ['square', 'elementwise_mul']],
      [0.5, ['sqrt']],
      [1, ['assign']],
      [-1, ['reciprocal']],
      [2.5, ['elementwise_pow']],
      [-3, ['elementwise_pow']],
    ];
    for (const [exponent, ops] of expected) {
      const graph = await checkEverywhere({ op: 'Pow', inputs: [X, scalar(exponent)] }, { between: [0.2, 6] });
      assert.equal(opsOf(graph), ops);
    }
    await checkEverywhere({ op: 'Pow', inputs: [X, scalar(4)] }, { between: [-3, 3], first: [0] });
    await checkEverywhere({ op: 'Pow', inputs: [X, scalar(3, 'i64')] });
    await checkEverywhere({ op: 'Pow', inputs: [X, [4, 5]] }, { between: [0.1, 4] });
    await checkEverywhere({ op: 'Pow', inputs: [X, { shape: [5], data: [0, 1, 2, -3, 5] }] }, { first: [1] });
    await checkEverywhere(
      { op: 'Pow', inputs: [typed([4, 4], 'i32'), list([0, 1, 2, 5], 'i32')] },
      { between: [-9, 9] },
    );
    await checkEverywhere(
      { op: 'Pow', inputs: [typed([4, 4], 'i64'), { shape: [4], data: [0, 1, 2, 3] }] },
      { between: [1, 9] },
    );
    await checkEverywhere({ op: 'Pow', inputs: [{ shape: [3], data: [1, 2, 3] }, [4, 3]] });
  });

  test('PRelu with a slope per channel, per element, in one number', async () => {
    for (const opset of [7, 9, 16])
      for (const slope of [
        { shape: [3, 1, 1], data: [0.1, 0.5, -2] },
        { shape: [1], data: [0.25] },
        [4, 5],
        X,
      ] as const)
        await checkEverywhere({ op: 'PRelu', opset, inputs: [X, slope] });
  });

  test('comparisons over opsets and broadcasts', async () => {
    for (const [op, opset] of [
      ['Equal', 13],
      ['Less', 9],
      ['Less', 13],
      ['Greater', 13],
      ['LessOrEqual', 12],
      ['GreaterOrEqual', 16],
    ] as const)
      for (const of of ['f32', 'i32', 'i64'] as const)
        for (const [a, b] of BROADCASTS)
          await checkEverywhere({ op, opset, inputs: [typed(a, of), typed(b, of)] }, { between: [-2, 2], first: [1] });
    await checkEverywhere({ op: 'Equal', inputs: [typed(X, 'bool'), typed([5], 'bool')] });
  });

  test('And, Or, Xor, Not, IsNaN', async () => {
    for (const op of ['And', 'Or', 'Xor'])
      for (const [a, b] of BROADCASTS) await checkEverywhere({ op, inputs: [typed(a, 'bool'), typed(b, 'bool')] });
    await checkEverywhere({ op: 'Not', inputs: [typed(X, 'bool')] });
    await checkEverywhere({ op: 'IsNaN', inputs: [X] }, { first: [Number.NaN, 1, Number.POSITIVE_INFINITY] });
    await checkEverywhere({ op: 'IsInf', inputs: [X] }, { first: [Number.NaN, 1, Number.NEGATIVE_INFINITY] });
  });

  test('Where', async () => {
    for (const of of ['f32', 'i64', 'u8'] as const)
      for (const [c, x, y] of [
        [X, X, X],
        [[3, 1, 1], X, []],
        [X, [5], [4, 1]],
        [[], [5], [4, 5]],
      ] as const)
        await checkEverywhere({ op: 'Where', opset: 16, inputs: [typed(c, 'bool'), typed(x, of), typed(y, of)] });
  });
}

function list(data: readonly number[], dtype: 'i32' | 'i64'): TypedNode['inputs'][number] & object {
  return { shape: [data.length], dtype, data };
}

test.run();
