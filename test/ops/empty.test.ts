/** Empty tensors and scalars. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compile } from '../../src/compile.js';
import type { Tensor } from '../../src/ir/tensor.js';
import { f32 } from '../../src/ir/tensor.js';
import { runTwice } from '../support/compiled.js';
import { model } from '../support/onnx.js';
import { type OneNode, oneNode } from '../support/op-check.js';

const list = (...data: number[]) => ({ shape: [data.length], dtype: 'i64' as const, data });

/** The first output of a node on float inputs. */
async function result(node: OneNode, ...inputs: readonly Tensor[]): Promise<number[]> {
  const { wasm } = await compile(model(oneNode(node)));
  const outputs = runTwice(wasm, Object.fromEntries(inputs.map((t, i) => [`x${i}`, t])));
  return Array.from(outputs.y0 as Float32Array, Number);
}

test('reductions over no elements give what they start from', async () => {
  const { POSITIVE_INFINITY, NEGATIVE_INFINITY } = Number;
  for (const [op, expected] of [
    ['ReduceSum', 0],
    ['ReduceProd', 1],
    ['ReduceMax', NEGATIVE_INFINITY],
    ['ReduceMin', POSITIVE_INFINITY],
    ['ReduceL1', 0],
    ['ReduceL2', 0],
    ['ReduceLogSum', NEGATIVE_INFINITY],
    ['ReduceLogSumExp', NEGATIVE_INFINITY],
    ['ReduceSumSquare', 0],
  ] as const) {
    const values = await result({ op, opset: 18, inputs: [[2, 0, 4], list(1)] }, f32([2, 0, 4], []));
    assert.equal(values, new Array(8).fill(expected), op);
  }
  assert.equal(await result({ op: 'ReduceSum', opset: 18, inputs: [[2, 0, 4], list(2)] }, f32([2, 0, 4], [])), []);
});

test('empty operands', async () => {
  const full = f32([2, 3], [1, 2, 3, 4, 5, 6]);
  const concat: OneNode = {
    op: 'Concat',
    attrs: { axis: 1 },
    inputs: [
      [2, 0],
      [2, 3],
    ],
  };
  assert.equal(await result(concat, f32([2, 0], []), full), [1, 2, 3, 4, 5, 6]);
  assert.equal(await result({ op: 'Softmax', inputs: [[2, 0]] }, f32([2, 0], [])), []);
});

test('scalars', async () => {
  const scalar = (v: number): Tensor => f32([], [v]);
  assert.equal(await result({ op: 'Relu', inputs: [[]] }, scalar(-2)), [0]);
  assert.equal(await result({ op: 'Add', inputs: [[], []] }, scalar(-2), scalar(5)), [3]);
  assert.equal(await result({ op: 'Transpose', inputs: [[]] }, scalar(-2)), [-2]);
});

test.run();
