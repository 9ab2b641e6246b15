/** Ops on places that the network computes: references and modules against onnxruntime. */
import { test } from 'uvu';
import type { AttrSpec } from '../support/onnx.js';
import { checkEverywhere } from '../support/op-everywhere.js';
import { hasOrt } from '../support/ort.js';

const list = (...data: number[]) => ({ shape: [data.length], dtype: 'i64' as const, data });
const scalar = (data: number, dtype: 'f32' | 'i32' | 'i64' = 'i64') => ({ shape: [], dtype, data: [data] });
const PLACES = { between: [-3, 2] as const };

if (hasOrt('places against onnxruntime')) {
  test('GatherElements: every axis, constant and computed, of floats and integers', async () => {
    for (const axis of [0, 1, 2, -1])
      for (const of of ['f32', 'i64', 'u8'] as const)
        await checkEverywhere(
          {
            op: 'GatherElements',
            attrs: { axis },
            inputs: [
              { shape: [3, 3, 3], of },
              { shape: [3, 2, 3], of: 'i64' },
            ],
          },
          PLACES,
        );
    const indices = { shape: [2, 2], dtype: 'i32' as const, data: [1, -1, 0, 2] };
    await checkEverywhere({ op: 'GatherElements', attrs: { axis: 1 }, inputs: [[2, 3], indices] });
  });

  test('GatherND with batches', async () => {
    for (const depth of [1, 2, 3])
      await checkEverywhere({ op: 'GatherND', inputs: [[3, 3, 3], { shape: [4, depth], of: 'i64' }] }, PLACES);
    for (const batch of [1, 2])
      await checkEverywhere(
        {
          op: 'GatherND',
          attrs: { batch_dims: batch },
          inputs: [[3, 3, 3, 3], { shape: [3, 3, 2], of: 'i64' }],
        },
        PLACES,
      );
    await checkEverywhere({
      op: 'GatherND',
      inputs: [
        { shape: [2, 2], of: 'i32' },
        { shape: [2, 2], dtype: 'i64', data: [0, 0, 1, -1] },
      ],
    });
  });

  test('ScatterElements and ScatterND: every reduction', async () => {
    for (const reduction of ['none', 'add', 'mul', 'min', 'max']) {
      const indices = { shape: [2, 3], dtype: 'i64' as const, data: [1, 0, -1, 0, 2, 1] };
      const once = { shape: [2, 3], dtype: 'i64' as const, data: [1, 0, 2, 0, 2, 1] };
      for (const axis of [0, 1])
        await checkEverywhere({
          op: 'ScatterElements',
          opset: 18,
          attrs: { axis, reduction },
          inputs: [[3, 3], axis === 1 && reduction === 'none' ? once : indices, [2, 3]],
        });
      const tuples = { shape: [3, 1], dtype: 'i64' as const, data: [2, 0, reduction === 'none' ? 1 : 2] };
      await checkEverywhere({
        op: 'ScatterND',
        opset: 18,
        attrs: { reduction },
        inputs: [[4, 2, 3], tuples, [3, 2, 3]],
      });
    }
    await checkEverywhere(
      {
        op: 'ScatterND',
        inputs: [
          { shape: [3, 3], of: 'i64' },
          { shape: [1, 2], of: 'i64' },
          { shape: [1], of: 'i64' },
        ],
      },
      PLACES,
    );
    await checkEverywhere({ op: 'Scatter', opset: 9, inputs: [[3], list(1), [1]] });
  });

  test('CumSum: every axis, exclusive and reverse', async () => {
    for (const axis of [0, 1, 2, -1])
      for (const exclusive of [0, 1])
        for (const reverse of [0, 1]) {
          const attrs = { exclusive, reverse };
          await checkEverywhere({ op: 'CumSum', attrs, inputs: [[2, 5, 3], scalar(axis, 'i32')] });
          await checkEverywhere(
            { op: 'CumSum', attrs, inputs: [{ shape: [2, 3, 4, 5], of: 'i64' }, scalar(axis)] },
            { between: [-(2 ** 50), 2 ** 50] },
          );
        }
  });

  test('OneHot, Hardmax and Trilu', async () => {
    for (const axis of [0, 1, -1])
      await checkEverywhere(
        {
          op: 'OneHot',
          attrs: { axis },
          inputs: [{ shape: [3, 2], of: 'i64' }, scalar(5), { shape: [2], data: [-1, 2.5] }],
        },
        { between: [-6, 6] },
      );
    for (const opset of [11, 13])
      for (const axis of [0, 1, -1])
        await checkEverywhere({ op: 'Hardmax', opset, attrs: { axis }, inputs: [[2, 3, 4]] });
    for (const upper of [0, 1])
      for (const k of [-2, 0, 1, 9])
        await checkEverywhere({
          op: 'Trilu',
          opset: 14,
          attrs: { upper },
          inputs: [{ shape: [2, 4, 5], of: 'i64' }, scalar(k)],
        });
  });

  test('Einsum', async () => {
    const shapes: Record<string, number[][]> = {
      'ij->ji': [[3, 4]],
      'ij->i': [[3, 4]],
      'ii->i': [[4, 4]],
      ii: [[4, 4]],
      '...ij->...j': [[2, 3, 4]],
      'i,i': [[5], [5]],
      'ij,jk': [
        [3, 4],
        [4, 5],
      ],
      'bij,bjk->bik': [
        [2, 3, 4],
        [2, 4, 5],
      ],
      'b...ij,bjk->b...ik': [
        [2, 3, 3, 4],
        [2, 4, 5],
      ],
      'bhwc,hkc->bhwk': [
        [2, 3, 4, 5],
        [3, 6, 5],
      ],
      'a,b->ab': [[3], [4]],
      'ij,jk,kl->il': [
        [2, 3],
        [3, 4],
        [4, 2],
      ],
    };
    for (const [equation, inputs] of Object.entries(shapes))
      await checkEverywhere({ op: 'Einsum', attrs: { equation }, inputs });
  });

  test('MaxPool with places', async () => {
    const pads = [1, 0, 1, 1];
    const windows: Readonly<Record<string, AttrSpec>>[] = [
      { kernel_shape: [2, 2] },
      { kernel_shape: [3, 3], strides: [2, 2], pads, ceil_mode: 1 },
      { kernel_shape: [3, 2], pads, dilations: [2, 1], storage_order: 1 },
    ];
    for (const attrs of windows) await checkEverywhere({ op: 'MaxPool', attrs, inputs: [[2, 3, 7, 6]], outputs: 2 });
    await checkEverywhere({
      op: 'MaxPool',
      attrs: { kernel_shape: [3], strides: [2] },
      inputs: [[1, 2, 9]],
      outputs: 2,
    });
    await checkEverywhere({
      op: 'MaxPool',
      attrs: { kernel_shape: [2, 2] },
      inputs: [{ shape: [1, 2, 5, 5], of: 'u8' }],
    });
  });

  test('bits', async () => {
    for (const op of ['BitwiseAnd', 'BitwiseOr', 'BitwiseXor'])
      for (const of of ['i32', 'i64', 'u8'] as const)
        await checkEverywhere(
          {
            op,
            opset: 18,
            inputs: [
              { shape: [3, 4], of },
              { shape: [4], of },
            ],
          },
          { between: of === 'u8' ? [0, 255] : [-(2 ** 31), 2 ** 31 - 1] },
        );
    for (const of of ['i32', 'i64', 'u8'] as const)
      await checkEverywhere({ op: 'BitwiseNot', opset: 18, inputs: [{ shape: [9], of }] }, { between: [0, 255] });
    for (const direction of ['LEFT', 'RIGHT'])
      await checkEverywhere(
        {
          op: 'BitShift',
          attrs: { direction },
          inputs: [
            { shape: [9], of: 'u8' },
            { shape: [9], dtype: 'u8', data: [0, 1, 2, 3, 4, 5, 6, 7, 1] },
          ],
        },
        { between: [0, 255] },
      );
  });
}

test.run();
