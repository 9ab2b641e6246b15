/** Softmax, ReduceMean and BatchNormalization, imported, against onnxruntime. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { checkNode, expectImportError, oneNode, opsOf } from '../support/op-check.js';
import { hasOrt } from '../support/ort.js';

const X = [2, 3, 4, 5];
const positive = { shape: [3], data: [0.5, 2, 1e-6] };
const parameter = { shape: [3], data: [-1.5, 0.25, 3] };

if (hasOrt('reductions against onnxruntime')) {
  for (const axis of [0, 1, 2, 3, -1, -2])
    test(`Softmax along ${axis}`, async () => {
      await checkNode({ op: 'Softmax', attrs: { axis }, inputs: [X] }, 'since 13', { tolerance: 1e-6, range: 20 });
      if (axis >= 0) await checkNode({ op: 'Softmax', opset: 10, attrs: { axis }, inputs: [X] }, 'flattening');
      await checkNode({ op: 'Softmax', opset: 12, attrs: { axis }, inputs: [X] }, 'flattening');
    });

  test('Softmax without an axis', async () => {
    await checkNode({ op: 'Softmax', inputs: [X] });
    await checkNode({ op: 'Softmax', opset: 11, inputs: [X] });
    assert.equal(opsOf(await checkNode({ op: 'Softmax', opset: 11, inputs: [[2, 7]] })), ['softmax']);
  });

  test('ReduceMean with axes as attribute and as input', async () => {
    const list = (...data: number[]) => ({ shape: [data.length], dtype: 'i64' as const, data });
    for (const keepdims of [0, 1]) {
      for (const opset of [10, 13]) {
        await checkNode({ op: 'ReduceMean', opset, attrs: { axes: [2, 3], keepdims }, inputs: [X] });
        await checkNode({ op: 'ReduceMean', opset, attrs: { axes: [1], keepdims }, inputs: [X] });
        await checkNode({ op: 'ReduceMean', opset, attrs: { keepdims }, inputs: [X] });
      }
      await checkNode({ op: 'ReduceMean', opset: 13, attrs: { axes: [-1, 0], keepdims }, inputs: [X] });
      await checkNode({ op: 'ReduceMean', opset: 18, attrs: { keepdims }, inputs: [X, list(-1, -2)] });
      await checkNode({ op: 'ReduceMean', opset: 18, attrs: { keepdims }, inputs: [X] });
    }
    await checkNode({ op: 'ReduceMean', opset: 18, attrs: { noop_with_empty_axes: 1 }, inputs: [X] });
  });

  test('BatchNormalization', async () => {
    const inputs = [X, parameter, positive, parameter, positive];
    for (const opset of [10, 14, 15])
      for (const epsilon of [1e-5, 0.01])
        await checkNode({ op: 'BatchNormalization', opset, attrs: { epsilon }, inputs });
    await checkNode({ op: 'BatchNormalization', inputs: [[4, 3], parameter, positive, parameter, positive] });
  });
}

test('what does not fit is refused', () => {
  expectImportError(oneNode({ op: 'Softmax', attrs: { axis: 4 }, inputs: [X] }), /outside of rank/);
  expectImportError(oneNode({ op: 'ReduceMean', attrs: { axes: [1, -3] }, inputs: [X] }), /twice/);
  const inputs = [[2, 4, 5, 5], parameter, positive, parameter, positive];
  expectImportError(oneNode({ op: 'BatchNormalization', inputs }), /parameter/);
  const training = { training_mode: 1 };
  expectImportError(oneNode({ op: 'BatchNormalization', opset: 15, attrs: training, inputs }), /training/);
});

test.run();
