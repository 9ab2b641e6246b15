/** Ops that were rewritten still answer to the name that the user knows. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compile } from '../../src/compile.js';
import { type Grid, Network } from '../support/network.js';

const GRID: Grid = { dtype: 'u8', scale: 0.05, zeroPoint: 128 };

/** A convolution, a clip and a mean over the image, all on grids. */
function network(keepdims: number): Uint8Array {
  const n = new Network(3);
  const x = n.fake(n.input('x', [1, 4, 8, 8]), GRID);
  const conv = n.op('Conv', [x, n.weights([8, 4, 3, 3], { axis: 0 })], { kernel_shape: [3, 3] });
  const bounds = [0, 6].map((v) => n.constant({ shape: [], data: [v] }));
  const clipped = n.fake(n.op('Clip', [conv, ...bounds]), { ...GRID, zeroPoint: 0 });
  const mean = n.op('ReduceMean', [clipped], { axes: [2, 3], keepdims });
  return n.bytes([n.fake(mean, { ...GRID, zeroPoint: 0 })], 13);
}

async function int8(opsToQuantize: readonly string[], keepdims = 1): Promise<string[]> {
  const { report } = await compile(network(keepdims), { opsToQuantize });
  return report.ops.filter((op) => op.int8).map((op) => op.type);
}

test('a mean over the image is a pool and answers to reduce_mean', async () => {
  for (const keepdims of [0, 1]) {
    const names = await int8(['conv2d', 'reduce_mean'], keepdims);
    assert.ok(names.includes('pool2d'), `keepdims ${keepdims}: ${names}`);
    assert.ok((await int8(['conv2d', 'ReduceMean'], keepdims)).includes('pool2d'));
    assert.not((await int8(['conv2d', 'max'], keepdims).catch(() => ['refused'])).includes('pool2d'));
  }
  assert.not((await int8(['conv2d'])).includes('pool2d'));
});

test('a clip that became relu6 and a part of the convolution answers to clip', async () => {
  assert.ok((await int8(['clip'])).includes('conv2d'));
  assert.ok((await int8(['relu6'])).includes('conv2d'));
  assert.not((await int8(['reduce_mean'])).includes('conv2d'));
});

test.run();
