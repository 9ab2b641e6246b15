/** Integers beyond what a float counts: references and modules against onnxruntime, exactly. */
import { test } from 'uvu';
import { checkEverywhere, type TypedNode } from '../support/op-everywhere.js';
import { hasOrt } from '../support/ort.js';

const wide = { i32: [-(2 ** 31), 2 ** 31 - 1], i64: [-(2 ** 62), 2 ** 62] } as const;
const DTYPES = ['i32', 'i64'] as const;
const list = (...data: number[]) => ({ shape: [data.length], dtype: 'i64' as const, data });

if (hasOrt('wide integers against onnxruntime')) {
  const check = async (make: (of: 'i32' | 'i64') => TypedNode, dtypes: readonly ('i32' | 'i64')[] = DTYPES) => {
    for (const of of dtypes) await checkEverywhere(make(of), { between: wide[of], first: [2 ** 24 + 1, -1, 0, 1] });
  };

  for (const op of ['Add', 'Sub', 'Mul', 'Min', 'Max', 'Equal', 'Less', 'Greater', 'LessOrEqual'])
    test(`${op} with broadcasting`, () =>
      check((of) => ({
        op,
        opset: 16,
        inputs: [
          { shape: [2, 3, 5], of },
          { shape: [3, 1], of },
        ],
      })));

  for (const op of ['Div', 'Mod'])
    test(`${op} by constants`, () =>
      check((of) => ({
        op,
        opset: 14,
        inputs: [
          { shape: [2, 5], of },
          { shape: [5], dtype: of, data: [3, -7, 65537, 1, -1] },
        ],
      })));

  // onnxruntime saturates powers and sums that do not fit: these do
  test('Pow', async () => {
    for (const of of DTYPES)
      await checkEverywhere(
        {
          op: 'Pow',
          opset: 15,
          inputs: [
            { shape: [6], of },
            { shape: [6], dtype: of, data: [0, 1, 2, 3, 3, 2] },
          ],
        },
        { between: [-1290, 1290] },
      );
  });

  for (const op of ['Abs', 'Neg', 'Sign']) test(op, () => check((of) => ({ op, inputs: [{ shape: [3, 7], of }] })));

  test('Clip by the input', () =>
    check((of) => ({
      op: 'Clip',
      inputs: [
        { shape: [9], of },
        { shape: [], of },
        { shape: [], of },
      ],
    })));

  for (const [op, most] of [
    ['ReduceSum', 1.7e7],
    ['ReduceMax', 2 ** 31 - 1],
    ['ReduceMin', 2 ** 31 - 1],
    ['ReduceProd', 1],
  ] as const)
    test(`${op} over any axes`, async () => {
      for (const of of DTYPES)
        for (const axes of [[1], [0, 3], [0, 1, 2, 3]]) {
          const attrs = { keepdims: axes.length % 2 };
          await checkEverywhere(
            { op, opset: 18, attrs, inputs: [{ shape: [2, 3, 4, 5], of }, list(...axes)] },
            { between: [-most, most], first: [2 ** 24 + 1] },
          );
        }
    });

  test('ArgMax, ArgMin and TopK', async () => {
    for (const op of ['ArgMax', 'ArgMin'])
      for (const last of [0, 1])
        await checkEverywhere(
          {
            op,
            attrs: { axis: 1, keepdims: last, select_last_index: last },
            inputs: [{ shape: [3, 9, 2], of: 'i32' }],
          },
          { between: [2 ** 30, 2 ** 30 + 3] },
        );
    for (const largest of [0, 1])
      for (const of of DTYPES)
        await checkEverywhere(
          { op: 'TopK', attrs: { axis: 1, largest }, inputs: [{ shape: [3, 9, 2], of }, list(4)], outputs: 2 },
          { between: [2 ** 30, 2 ** 30 + 5] },
        );
  });

  test('Cast from and to every dtype', async () => {
    for (const of of DTYPES)
      for (const to of [1, 2, 3, 6, 7, 9])
        await checkEverywhere({ op: 'Cast', attrs: { to }, inputs: [{ shape: [40], of }] }, { between: wide[of] });
    for (const to of [6, 7])
      await checkEverywhere(
        { op: 'Cast', attrs: { to }, inputs: [[40]] },
        { between: [-(2 ** 31) + 200, 2 ** 31 - 200] },
      );
  });

  test('moving: Transpose, Concat, Where, Gather, Pad, Tile, Slice, Expand, Resize', async () => {
    await check((of) => ({ op: 'Transpose', attrs: { perm: [0, 2, 3, 1] }, inputs: [{ shape: [2, 3, 4, 5], of }] }));
    await check((of) => ({
      op: 'Concat',
      attrs: { axis: 1 },
      inputs: [
        { shape: [2, 3, 2, 2], of },
        { shape: [2, 1, 2, 2], of },
      ],
    }));
    await check((of) => ({
      op: 'Where',
      inputs: [
        { shape: [3, 1], of: 'bool' },
        { shape: [3, 4], of },
        { shape: [4], of },
      ],
    }));
    await check((of) => ({ op: 'Gather', attrs: { axis: 1 }, inputs: [{ shape: [2, 5, 3], of }, list(4, 0, -2)] }));
    await check((of) => ({
      op: 'Pad',
      inputs: [{ shape: [2, 3], of }, list(1, 0, 0, 2), { shape: [], dtype: of, data: [2 ** 24 + 1] }],
    }));
    await check((of) => ({ op: 'Tile', inputs: [{ shape: [2, 3], of }, list(2, 3)] }));
    await check((of) => ({ op: 'Slice', inputs: [{ shape: [2, 9], of }, list(-1), list(-9), list(1), list(-3)] }));
    await check((of) => ({ op: 'Expand', inputs: [{ shape: [3, 1], of }, list(2, 3, 4)] }));
    await checkEverywhere(
      {
        op: 'Resize',
        attrs: { mode: 'nearest' },
        inputs: [{ shape: [1, 2, 3, 3], of: 'i32' }, null, { shape: [4], data: [1, 1, 2, 2] }],
      },
      { between: wide.i32 },
    );
  });
}

test.run();
