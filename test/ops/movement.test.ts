/** Ops that move data and the folding of shape arithmetic, against onnxruntime. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { NodeSpec } from '../support/onnx.js';
import { checkModel, checkNode, expectImportError, oneNode, opsOf } from '../support/op-check.js';
import { hasOrt } from '../support/ort.js';

const list = (...data: number[]) => ({ shape: [data.length], dtype: 'i64' as const, data });
const X = [2, 3, 4, 5];

if (hasOrt('data movement against onnxruntime')) {
  test('Reshape, Flatten, Squeeze and Unsqueeze become reshape2', async () => {
    const one = async (node: Parameters<typeof checkNode>[0], shape: number[]) => {
      const graph = await checkNode(node);
      assert.equal(opsOf(graph), ['reshape2']);
      assert.equal(graph.nodes[0]?.attrs, { shape });
    };
    for (const opset of [10, 13, 21]) {
      await one({ op: 'Reshape', opset, inputs: [X, list(0, -1, 5)] }, [2, 12, 5]);
      await one({ op: 'Reshape', opset, inputs: [X, list(6, 20)] }, [6, 20]);
      await one({ op: 'Flatten', opset, inputs: [X] }, [2, 60]);
      await one({ op: 'Flatten', opset, attrs: { axis: 0 }, inputs: [X] }, [1, 120]);
      await one({ op: 'Flatten', opset, attrs: { axis: 4 }, inputs: [X] }, [120, 1]);
      if (opset >= 11) await one({ op: 'Flatten', opset, attrs: { axis: -1 }, inputs: [X] }, [24, 5]);
      const axes = (...a: number[]) => (opset < 13 ? { attrs: { axes: a } } : {});
      const input = (...a: number[]) => (opset < 13 ? [] : [list(...a)]);
      await one({ op: 'Squeeze', opset, inputs: [[1, 3, 1, 5]] }, [3, 5]);
      await one({ op: 'Squeeze', opset, ...axes(2), inputs: [[1, 3, 1, 5], ...input(2)] }, [1, 3, 5]);
      await one({ op: 'Unsqueeze', opset, ...axes(3, 0), inputs: [[3, 5], ...input(3, 0)] }, [1, 3, 5, 1]);
    }
    await one({ op: 'Reshape', opset: 14, attrs: { allowzero: 1 }, inputs: [X, list(6, 20)] }, [6, 20]);
    await one({ op: 'Unsqueeze', inputs: [[3, 5], list(-1, -3)] }, [3, 1, 5, 1]);
    await one({ op: 'Squeeze', inputs: [[3, 1, 5, 1], list(-1)] }, [3, 1, 5]);
  });

  test('Transpose, Slice, Gather, Expand and Concat', async () => {
    await checkNode({ op: 'Transpose', inputs: [X] });
    await checkNode({ op: 'Transpose', attrs: { perm: [0, 2, 3, 1] }, inputs: [X] });
    await checkNode({ op: 'Transpose', attrs: { perm: [3, 0, 2, 1] }, inputs: [X] });
    await checkNode({ op: 'Slice', inputs: [X, list(1), list(3), list(2)] });
    await checkNode({ op: 'Slice', inputs: [X, list(0, -3), list(1, 2 ** 40), list(0, -1)] });
    await checkNode({ op: 'Slice', inputs: [X, list(-1, 4), list(-100, 0), list(2, 3), list(-2, -1)] });
    await checkNode({ op: 'Slice', inputs: [X, list(1, 1), list(2, 2)] });
    await checkNode({ op: 'Gather', attrs: { axis: 1 }, inputs: [X, list(2, 0, -1, 2)] });
    await checkNode({
      op: 'Gather',
      attrs: { axis: -1 },
      inputs: [X, { shape: [2, 2], dtype: 'i32', data: [0, 1, 4, -5] }],
    });
    await checkNode({ op: 'Gather', inputs: [X, { shape: [], dtype: 'i64', data: [1] }] });
    await checkNode({ op: 'Expand', inputs: [[3, 1], list(2, 1, 4)] });
    await checkNode({ op: 'Expand', inputs: [[3, 4], list(1, 1)] });
    await checkNode({
      op: 'Concat',
      attrs: { axis: 1 },
      inputs: [[2, 3], [2, 1], { shape: [2, 2], data: [1, 2, 3, 4] }],
    });
    await checkNode({ op: 'Concat', attrs: { axis: -3 }, inputs: [X, X] });
  });

  test('casts of constants', async () => {
    const values = { shape: [6], data: [-2.7, -0.5, 0, 0.5, 2.7, 300.9] };
    for (const to of [1, 6, 7, 9]) {
      const nodes: NodeSpec[] = [
        { op: 'Cast', attrs: { to }, inputs: ['c'], outputs: ['i'] },
        { op: 'Cast', attrs: { to: 1 }, inputs: ['i'], outputs: ['f'] },
        { op: 'Add', inputs: ['x', 'f'], outputs: ['y'] },
      ];
      await checkModel({ inputs: { x: [6] }, initializers: { c: values }, nodes, outputs: ['y'] }, `to ${to}`);
    }
  });

  test('the shape arithmetic that exporters write leaves one reshape2', async () => {
    const nodes: NodeSpec[] = [
      { op: 'Shape', inputs: ['x'], outputs: ['shape'] },
      { op: 'Constant', attrs: { value: { tensor: { shape: [], dtype: 'i64', data: [0] } } }, outputs: ['zero'] },
      { op: 'Gather', attrs: { axis: 0 }, inputs: ['shape', 'zero'], outputs: ['n'] },
      { op: 'Unsqueeze', attrs: { axes: [0] }, inputs: ['n'], outputs: ['n1'] },
      { op: 'Constant', attrs: { value: { tensor: list(1) } }, outputs: ['one'] },
      { op: 'Constant', attrs: { value: { tensor: list(3) } }, outputs: ['three'] },
      { op: 'Slice', inputs: ['shape', 'one', 'three'], outputs: ['cut'] },
      { op: 'Squeeze', inputs: ['cut'], outputs: ['same'] },
      { op: 'Mul', inputs: ['same', 'one'], outputs: ['scaled'] },
      { op: 'Cast', attrs: { to: 6 }, inputs: ['scaled'], outputs: ['narrow'] },
      { op: 'Cast', attrs: { to: 7 }, inputs: ['narrow'], outputs: ['wide'] },
      { op: 'ConstantOfShape', attrs: { value: { tensor: list(-1) } }, inputs: ['one'], outputs: ['rest'] },
      { op: 'Concat', attrs: { axis: 0 }, inputs: ['n1', 'wide', 'rest'], outputs: ['to'] },
      { op: 'Reshape', inputs: ['x', 'to'], outputs: ['y'] },
    ];
    const graph = await checkModel({ opset: 11, inputs: { x: X }, nodes, outputs: ['y'] }, 'shape arithmetic');
    assert.equal(opsOf(graph), ['reshape2']);
    assert.equal(graph.nodes[0]?.attrs, { shape: [2, 3, 4, 5] });
    assert.is(graph.nodes[0]?.id, 13);
  });

  test('Range and Shape with start and end', async () => {
    const nodes: NodeSpec[] = [
      { op: 'Shape', attrs: { start: 1, end: -1 }, inputs: ['x'], outputs: ['dims'] },
      { op: 'Constant', attrs: { value_ints: [0] }, outputs: ['i'] },
      { op: 'Gather', inputs: ['dims', 'zero'], outputs: ['limit'] },
      { op: 'Range', inputs: ['zero', 'limit', 'one'], outputs: ['r'] },
      { op: 'Gather', attrs: { axis: 1 }, inputs: ['x', 'r'], outputs: ['g'] },
      { op: 'Constant', attrs: { value_float: 0.5 }, outputs: ['half'] },
      { op: 'Add', inputs: ['g', 'half'], outputs: ['y'] },
    ];
    const scalar = (v: number) => ({ shape: [], dtype: 'i64' as const, data: [v] });
    const initializers = { zero: scalar(0), one: scalar(1) };
    await checkModel({ opset: 15, inputs: { x: X }, initializers, nodes, outputs: ['y'] }, 'range');
  });
}

test('what does not fit is refused', () => {
  expectImportError(oneNode({ op: 'Reshape', inputs: [X, list(7, -1)] }), /cannot take the shape/);
  expectImportError(oneNode({ op: 'Reshape', inputs: [X, list(-1, -1)] }), /not valid/);
  expectImportError(oneNode({ op: 'Reshape', inputs: [X, list(2, 3, 4, 5, 0)] }), /not valid/);
  expectImportError(oneNode({ op: 'Flatten', attrs: { axis: 5 }, inputs: [X] }), /outside of rank/);
  expectImportError(oneNode({ op: 'Squeeze', inputs: [X, list(0)] }), /not all 1/);
  expectImportError(oneNode({ op: 'Unsqueeze', inputs: [X, list(0, 0)] }), /twice/);
  expectImportError(oneNode({ op: 'Transpose', attrs: { perm: [0, 1, 1, 2] }, inputs: [X] }), /twice/);
  expectImportError(oneNode({ op: 'Transpose', attrs: { perm: [0, 1] }, inputs: [X] }), /does not permute/);
  expectImportError(oneNode({ op: 'Gather', inputs: [{ shape: [2], data: [1, 2] }, list(2)] }), /outside of 2/);
  expectImportError(oneNode({ op: 'Slice', inputs: [X, list(0), list(1), list(0), list(0)] }), /step/);
  expectImportError(
    oneNode({
      op: 'Concat',
      attrs: { axis: 1 },
      inputs: [
        [2, 3],
        [3, 3],
      ],
    }),
    /does not join/,
  );
  expectImportError(oneNode({ op: 'Cast', attrs: { to: 8 }, inputs: [[2]] }), /data type 8/);
});

test.run();
