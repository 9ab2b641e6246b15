/** Reductions, places of extremes and normalizations: references and modules against onnxruntime. */
import { test } from 'uvu';
import { checkEverywhere } from '../support/op-everywhere.js';
import { hasOrt } from '../support/ort.js';

const X = [2, 3, 4, 5];
const AXES = [[0], [1], [2, 3], [1, 3], [-1], [0, 1, 2, 3]];
const list = (...data: number[]) => ({ shape: [data.length], dtype: 'i64' as const, data });
const floats = (n: number, seed: number) => ({
  shape: [n],
  data: Array.from({ length: n }, (_, i) => ((i * 7 + seed) % 5) / 2 - 0.7),
});

if (hasOrt('reductions against onnxruntime')) {
  for (const op of ['Sum', 'Max', 'Min', 'Prod', 'L1', 'L2', 'SumSquare', 'LogSum', 'LogSumExp', 'Mean'])
    test(`Reduce${op}`, async () => {
      const between = op === 'LogSum' ? [0.1, 3] : [-2, 2];
      const options = { between: between as [number, number] };
      for (const axes of AXES)
        for (const keepdims of [0, 1]) {
          await checkEverywhere({ op: `Reduce${op}`, opset: 11, attrs: { axes, keepdims }, inputs: [X] }, options);
          await checkEverywhere(
            { op: `Reduce${op}`, opset: 18, attrs: { keepdims }, inputs: [X, list(...axes)] },
            options,
          );
        }
      await checkEverywhere({ op: `Reduce${op}`, opset: 18, inputs: [[3, 5]] }, options);
      await checkEverywhere(
        { op: `Reduce${op}`, opset: 18, attrs: { noop_with_empty_axes: 1 }, inputs: [[3, 5]] },
        { ...options, withoutOrt: true },
      );
    });

  test('reductions of integers', async () => {
    for (const op of ['ReduceSum', 'ReduceMax', 'ReduceMin', 'ReduceProd'])
      for (const of of ['i32', 'i64'] as const)
        await checkEverywhere(
          { op, opset: 11, attrs: { axes: [1] }, inputs: [{ shape: [3, 4, 2], of }] },
          { between: [-9, 9] },
        );
    for (const of of ['i8', 'u8'] as const)
      await checkEverywhere(
        { op: 'ReduceMax', opset: 13, attrs: { axes: [1] }, inputs: [{ shape: [3, 4, 2], of }] },
        { between: [-90, 90] },
      );
  });

  test('ArgMax and ArgMin', async () => {
    for (const op of ['ArgMax', 'ArgMin'])
      for (const axis of [0, 1, 2, -1])
        for (const keepdims of [0, 1])
          for (const select_last_index of [0, 1]) {
            await checkEverywhere(
              { op, attrs: { axis, keepdims, select_last_index }, inputs: [X] },
              { first: [1, 1, 1, 1, 1, 1] },
            );
            await checkEverywhere({ op, opset: 11, attrs: { axis, keepdims }, inputs: [[4, 3, 7]] });
          }
  });

  test('TopK', async () => {
    for (const axis of [0, 1, 2, -1])
      for (const largest of [0, 1])
        for (const k of [1, X.at(axis) as number])
          await checkEverywhere(
            { op: 'TopK', opset: 11, attrs: { axis, largest }, inputs: [X, list(k)], outputs: 2 },
            { first: [1, 1, 2, 1, 1, 1, 0, -0] },
          );
    await checkEverywhere({ op: 'TopK', opset: 7, attrs: { k: 3 }, inputs: [[4, 9]], outputs: 2 });
  });

  test('Softmax and LogSoftmax', async () => {
    for (const op of ['Softmax', 'LogSoftmax'])
      for (const opset of [11, 13])
        for (const axis of [0, 1, 2, 3, -2])
          await checkEverywhere({ op, opset, attrs: { axis }, inputs: [X] }, { between: [-20, 20] });
  });

  test('LayerNormalization', async () => {
    for (const [axis, n] of [
      [-1, 5],
      [3, 5],
    ] as const) {
      await checkEverywhere({
        op: 'LayerNormalization',
        opset: 17,
        attrs: { axis },
        inputs: [X, floats(n, 1), floats(n, 2)],
      });
      await checkEverywhere({
        op: 'LayerNormalization',
        opset: 17,
        attrs: { axis, epsilon: 0.1 },
        inputs: [X, floats(n, 1)],
      });
    }
    await checkEverywhere({ op: 'LayerNormalization', opset: 17, inputs: [X, floats(5, 1)], outputs: 3 });
    const scale = { shape: [4, 5], data: Array.from({ length: 20 }, (_, i) => i / 9 - 1) };
    await checkEverywhere({ op: 'LayerNormalization', opset: 17, attrs: { axis: 2 }, inputs: [X, scale, scale] });
    await checkEverywhere({ op: 'LayerNormalization', opset: 17, inputs: [[6, 33], floats(33, 1), floats(33, 3)] });
  });

  test('InstanceNormalization, GroupNormalization, MeanVarianceNormalization', async () => {
    for (const shape of [X, [1, 3, 7], [2, 3, 2, 3, 2]])
      await checkEverywhere({
        op: 'InstanceNormalization',
        attrs: { epsilon: 0.01 },
        inputs: [shape, floats(3, 1), floats(3, 2)],
      });
    for (const num_groups of [1, 2, 6])
      await checkEverywhere({
        op: 'GroupNormalization',
        opset: 21,
        attrs: { num_groups },
        inputs: [[2, 6, 3, 5], floats(6, 1), floats(6, 2)],
      });
    await checkEverywhere({
      op: 'GroupNormalization',
      opset: 18,
      attrs: { num_groups: 2 },
      inputs: [[2, 6, 3, 5], floats(2, 1), floats(2, 2)],
    });
    await checkEverywhere({ op: 'MeanVarianceNormalization', inputs: [X] });
    await checkEverywhere({ op: 'MeanVarianceNormalization', attrs: { axes: [2, 3] }, inputs: [X] });
  });

  test('LpNormalization and LRN', async () => {
    for (const p of [1, 2])
      for (const axis of [0, 1, -1]) await checkEverywhere({ op: 'LpNormalization', attrs: { p, axis }, inputs: [X] });
    for (const size of [1, 3, 5, 9])
      await checkEverywhere({ op: 'LRN', attrs: { size, alpha: 0.3, beta: 0.6, bias: 1.5 }, inputs: [[2, 5, 3, 4]] });
    await checkEverywhere({ op: 'LRN', attrs: { size: 3 }, inputs: [[2, 5, 3, 4]] });
  });
}

test.run();
