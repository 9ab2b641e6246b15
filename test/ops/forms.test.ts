/** Forms with operands that are usually constant, and outputs that are usually unused. */
import { test } from 'uvu';
import { checkEverywhere } from '../support/op-everywhere.js';
import { hasOrt } from '../support/ort.js';

const X = [2, 3, 4, 5];
const scalar = (of: 'f32' | 'i64' | 'i32') => ({ shape: [], of });

if (hasOrt('further forms against onnxruntime')) {
  test('Clip with computed bounds, and of integers', async () => {
    await checkEverywhere({ op: 'Clip', inputs: [X, { shape: [], data: [-1] }, scalar('f32')] }, { between: [0, 2] });
    await checkEverywhere({ op: 'Clip', inputs: [X, scalar('f32')] });
    for (const of of ['i32', 'i64'] as const)
      await checkEverywhere(
        {
          op: 'Clip',
          inputs: [
            { shape: X, of },
            { shape: [], dtype: of, data: [-2] },
            { shape: [], dtype: of, data: [5] },
          ],
        },
        { between: [-9, 9] },
      );
  });

  test('CastLike and Size', async () => {
    await checkEverywhere({ op: 'CastLike', opset: 15, inputs: [X, { shape: [1], of: 'i64' }] }, { between: [-9, 9] });
    await checkEverywhere({ op: 'CastLike', opset: 15, inputs: [{ shape: X, of: 'i32' }, [1]] }, { between: [-9, 9] });
  });

  test('IsInf of one sign', async () => {
    const first = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 3e38];
    for (const detect_positive of [0, 1])
      for (const detect_negative of [0, 1])
        await checkEverywhere({ op: 'IsInf', attrs: { detect_positive, detect_negative }, inputs: [X] }, { first });
  });

  test('Dropout with its mask', async () => {
    for (const opset of [12, 13]) await checkEverywhere({ op: 'Dropout', opset, inputs: [X], outputs: 2 });
  });

  test('BatchNormalization and Gemm with computed parameters', async () => {
    for (const shape of [X, [4, 3], [2, 3, 5]])
      await checkEverywhere({ op: 'BatchNormalization', inputs: [shape, [3], [3], [3], [3]] }, { between: [0.2, 2] });
    for (const bias of [[6], [1, 6], [4, 6], [4, 1], []])
      for (const transB of [0, 1])
        await checkEverywhere({ op: 'Gemm', attrs: { transB }, inputs: [[4, 5], transB ? [6, 5] : [5, 6], bias] });
    const weights = { shape: [5, 6], data: Array.from({ length: 30 }, (_, i) => i / 17 - 1) };
    await checkEverywhere({ op: 'Gemm', attrs: { alpha: 0.5, beta: 2.5, transA: 1 }, inputs: [[5, 4], weights, [6]] });
  });
}

test.run();
