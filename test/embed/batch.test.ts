/** Batches: a model with an open batch, compiled for one size, takes any number of items. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compile } from '../../src/compile.js';
import { loadCompiled } from '../support/models.js';
import { type Grid, Network, random } from '../support/network.js';

const U8: Grid = { dtype: 'u8', scale: 0.02, zeroPoint: 117 };

function model(): Uint8Array {
  const net = new Network(9);
  const x = net.fake(net.input('x', ['N', 3, 6, 7] as never), U8);
  const conv = net.op('Conv', [x, net.weights([5, 3, 3, 3], { axis: 0 }), net.values([5])]);
  return net.bytes([net.fake(conv, U8)]);
}

test('every number of items gives what they give one by one', async () => {
  const bytes = model();
  const single = await loadCompiled(await compile(bytes));
  const next = random(2);
  const items = Array.from({ length: 9 }, () => Float32Array.from({ length: 3 * 6 * 7 }, next));
  const [output] = single.outputs.map(({ name }) => name) as [string];
  const expected = items.map((x) => [...(single.run({ x })[output] as Float32Array)]);
  for (const batch of [1, 2, 4]) {
    const { report, ...rest } = await compile(bytes, { batch });
    assert.is(report.entries[0]!.batch, batch === 1 ? undefined : batch);
    const net = await loadCompiled({ report, ...rest });
    for (const count of [1, 2, 3, 4, 7, 9]) {
      const x = Float32Array.from(items.slice(0, count).flatMap((item) => [...item]));
      assert.equal(
        [...(net.run({ x })[output] as Float32Array)],
        expected.slice(0, count).flat(),
        `${count} by ${batch}`,
      );
    }
  }
});

test('a batch that the model fixes is not a number of items', async () => {
  const net = new Network(1);
  const { report } = await compile(net.bytes([net.op('Relu', [net.input('x', [4, 3])])]));
  assert.is(report.entries[0]!.batch, undefined);
});

test.run();
