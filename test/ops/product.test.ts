/** Gemm and MatMul, imported, against onnxruntime. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { TensorSpec } from '../support/onnx.js';
import { checkNode, expectImportError, type OneNode, oneNode, opsOf } from '../support/op-check.js';
import { hasOrt } from '../support/ort.js';

const constant = (...shape: number[]): TensorSpec => ({
  shape,
  data: Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i * 1.7) * 2),
});

if (hasOrt('Gemm and MatMul against onnxruntime')) {
  for (const opset of [10, 13, 21])
    for (const [transA, transB] of [
      [0, 0],
      [0, 1],
      [1, 0],
      [1, 1],
    ] as const)
      test(`Gemm transA ${transA} transB ${transB}, opset ${opset}`, async () => {
        const a = transA ? [7, 3] : [3, 7];
        const b = transB ? constant(4, 7) : constant(7, 4);
        const graph = await checkNode({ op: 'Gemm', opset, attrs: { transA, transB }, inputs: [a, b, constant(4)] });
        assert.equal(opsOf(graph), transA ? ['transpose2', 'fc'] : ['fc']);
      });

  test('Gemm without C, with factors, and with every shape of C', async () => {
    const attrs: OneNode['attrs'] = { alpha: 0.5, beta: 2.25 };
    const factorLists: OneNode['attrs'][] = [{}, attrs, { beta: 3.5 }, { beta: { float: 0 } }];
    assert.equal(opsOf(await checkNode({ op: 'Gemm', inputs: [[3, 7], constant(7, 4)] })), ['mul']);
    await checkNode({ op: 'Gemm', attrs, inputs: [[3, 7], constant(7, 4)] });
    for (const c of [constant(4), constant(1, 4), constant(3, 4), constant(3, 1), constant(1), constant(), [3, 4], [4]])
      for (const factors of factorLists)
        await checkNode(
          { op: 'Gemm', attrs: factors ?? {}, inputs: [[3, 7], constant(7, 4), c] },
          `C [${'shape' in c ? c.shape : c}]`,
        );
  });

  test('MatMul with a matrix is a product with weights, else a batched one', async () => {
    assert.equal(opsOf(await checkNode({ op: 'MatMul', inputs: [[2, 3, 7], constant(7, 4)] })), ['mul']);
    assert.equal(opsOf(await checkNode({ op: 'MatMul', inputs: [[7], constant(7, 4)] })), ['mul']);
    assert.equal(
      opsOf(
        await checkNode({
          op: 'MatMul',
          inputs: [
            [2, 3, 7],
            [2, 7, 4],
          ],
        }),
      ),
      ['matmul'],
    );
    await checkNode({
      op: 'MatMul',
      inputs: [
        [3, 7],
        [7, 4],
      ],
    });
    await checkNode({
      op: 'MatMul',
      inputs: [
        [3, 7],
        [5, 7, 4],
      ],
    });
    await checkNode({
      op: 'MatMul',
      inputs: [
        [2, 1, 3, 7],
        [5, 7, 4],
      ],
    });
  });

  test('MatMul of vectors', async () => {
    await checkNode({ op: 'MatMul', inputs: [[7], [7]] });
    await checkNode({ op: 'MatMul', inputs: [[3, 7], [7]] });
    await checkNode({ op: 'MatMul', inputs: [[2, 3, 7], [7]] });
    await checkNode({ op: 'MatMul', inputs: [[7], [2, 7, 4]] });
  });
}

test('operands that do not fit are refused', () => {
  expectImportError(
    oneNode({
      op: 'Gemm',
      inputs: [
        [3, 7],
        [6, 4],
      ],
    }),
    /inner dimensions/,
  );
  expectImportError(
    oneNode({
      op: 'Gemm',
      inputs: [
        [3, 7],
        [2, 7, 4],
      ],
    }),
    /rank 2/,
  );
  expectImportError(
    oneNode({
      op: 'MatMul',
      inputs: [
        [3, 7],
        [2, 6, 4],
      ],
    }),
    /inner dimensions/,
  );
  expectImportError(
    oneNode({
      op: 'MatMul',
      inputs: [
        [2, 3, 7],
        [3, 7, 4],
      ],
    }),
    /do not broadcast/,
  );
});

test.run();
