/** Ops that copy elements to other places: references and modules against onnxruntime, and on codes. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { identical, outcome } from '../support/compiled.js';
import { Network } from '../support/network.js';
import { checkEverywhere } from '../support/op-everywhere.js';
import { hasOrt } from '../support/ort.js';

const X = [2, 3, 4, 5];
const list = (...data: number[]) => ({ shape: [data.length], dtype: 'i64' as const, data });

if (hasOrt('rearrangements against onnxruntime')) {
  test('Split', async () => {
    for (const axis of [0, 1, 2, -1]) {
      const extent = X.at(axis) as number;
      const parts = [1, extent - 1];
      await checkEverywhere({ op: 'Split', opset: 11, attrs: { axis, split: parts }, inputs: [X], outputs: 2 });
      await checkEverywhere({ op: 'Split', opset: 13, attrs: { axis }, inputs: [X, list(...parts)], outputs: 2 });
      await checkEverywhere({ op: 'Split', opset: 13, attrs: { axis }, inputs: [X], outputs: extent });
      await checkEverywhere({ op: 'Split', opset: 18, attrs: { axis, num_outputs: 2 }, inputs: [X], outputs: 2 });
    }
    await checkEverywhere({ op: 'Split', inputs: [{ shape: [6], of: 'i64' }], outputs: 3 });
  });

  test('Slice with negative steps on activations', async () => {
    await checkEverywhere({ op: 'Slice', inputs: [X, list(-1, 4), list(-100, 0), list(2, 3), list(-2, -1)] });
    await checkEverywhere({ op: 'Slice', inputs: [X, list(0, 3), list(2, -9), list(0, 2), list(1, -3)] });
    await checkEverywhere({ op: 'Slice', inputs: [{ shape: [9], of: 'i32' }, list(7), list(0), list(0), list(-2)] });
  });

  test('Pad: every mode, opset and axis; negative pads', async () => {
    const pads = [0, 1, 2, 1, 1, 0, 0, 2];
    for (const mode of ['constant', 'reflect', 'edge']) {
      await checkEverywhere({ op: 'Pad', opset: 10, attrs: { mode, pads }, inputs: [X] });
      for (const p of [pads, [0, 0, 3, 4, 0, 0, 3, 4], [1, 0, 0, 0, 0, 2, 0, 0], [0, 0, -1, 2, 0, 0, 1, -2]])
        if (mode !== 'reflect' || !p.some((v, d) => v >= (X[d % 4] as number)))
          await checkEverywhere({ op: 'Pad', attrs: { mode }, inputs: [X, list(...p)] });
      await checkEverywhere({ op: 'Pad', attrs: { mode }, inputs: [[7], list(3, 2)] });
    }
    await checkEverywhere({ op: 'Pad', opset: 10, attrs: { pads, value: 1.5 }, inputs: [X] });
    await checkEverywhere({ op: 'Pad', inputs: [X, list(...pads), { shape: [], data: [-2.5] }] });
    await checkEverywhere({ op: 'Pad', opset: 18, inputs: [X, list(1, 2, 0, 1), null, list(3, -2)] });
    await checkEverywhere({ op: 'Pad', opset: 19, attrs: { mode: 'wrap' }, inputs: [X, list(0, 1, 2, 1, 1, 0, 3, 2)] });
    for (const mode of ['wrap', 'reflect'])
      await checkEverywhere({ op: 'Pad', opset: 19, attrs: { mode }, inputs: [[3, 4], list(-1, 0, 1, -1)] });
    await checkEverywhere({ op: 'Pad', inputs: [{ shape: [2, 3], of: 'i64' }, list(1, 0, 0, 2)] });
  });

  test('Gather by constant and by computed indices', async () => {
    for (const axis of [0, 1, 2, 3, -1]) {
      const extent = X.at(axis) as number;
      const some = [0, extent - 1, -1, 1 % extent, -extent];
      await checkEverywhere({ op: 'Gather', attrs: { axis }, inputs: [X, list(...some)] });
      await checkEverywhere({ op: 'Gather', attrs: { axis }, inputs: [X, { shape: [], dtype: 'i64', data: [-1] }] });
      await checkEverywhere({
        op: 'Gather',
        attrs: { axis },
        inputs: [X, { shape: [2, 2], dtype: 'i32', data: some.slice(0, 4) }],
      });
      for (const shape of [[3], [], [2, 2]])
        for (const of of ['i64', 'i32'] as const)
          await checkEverywhere(
            { op: 'Gather', attrs: { axis }, inputs: [X, { shape, of }] },
            { between: [-extent, extent - 1] },
          );
    }
    const table = { shape: [11, 6], data: Array.from({ length: 66 }, (_, i) => i / 7) };
    await checkEverywhere({ op: 'Gather', inputs: [table, { shape: [2, 5], of: 'i64' }] }, { between: [0, 10] });
  });

  test('Tile and Expand', async () => {
    for (const repeats of [
      [1, 1, 1, 1],
      [2, 1, 3, 1],
      [1, 2, 1, 2],
      [1, 3, 2, 1],
    ])
      await checkEverywhere({ op: 'Tile', inputs: [X, list(...repeats)] });
    await checkEverywhere({ op: 'Tile', inputs: [[5], list(3)] });
    await checkEverywhere({ op: 'Expand', inputs: [[3, 1, 5], list(2, 1, 4, 1)] });
    await checkEverywhere({ op: 'Expand', inputs: [{ shape: [3, 1], of: 'bool' }, list(3, 4)] });
  });

  test('DepthToSpace and SpaceToDepth', async () => {
    for (const opset of [11, 13])
      for (const mode of ['DCR', 'CRD'])
        for (const [blocksize, shape] of [
          [2, [2, 12, 3, 4]],
          [3, [1, 9, 2, 5]],
        ] as const)
          await checkEverywhere({ op: 'DepthToSpace', opset, attrs: { mode, blocksize }, inputs: [shape] });
    await checkEverywhere({ op: 'DepthToSpace', opset: 7, attrs: { blocksize: 2 }, inputs: [[1, 8, 2, 3]] });
    for (const [blocksize, shape] of [
      [2, [2, 3, 4, 6]],
      [3, [1, 2, 3, 9]],
    ] as const)
      await checkEverywhere({ op: 'SpaceToDepth', attrs: { blocksize }, inputs: [shape] });
  });
}

test('codes move as they are', async () => {
  const grid = { dtype: 'u8', scale: 0.03, zeroPoint: 111 } as const;
  const moves: readonly ((net: Network, x: string) => string)[] = [
    (net, x) => net.op('Pad', [x, net.ints([0, 0, 1, 2, 0, 0, 1, 0])]),
    (net, x) => net.op('Pad', [x, net.ints([0, 0, 1, 2, 0, 0, 1, 0])], { mode: 'reflect' }),
    (net, x) => net.op('Tile', [x, net.ints([1, 1, 2, 1])]),
    (net, x) => net.op('Gather', [x, net.ints([2, 0, 1])], { axis: 2 }),
    (net, x) => net.op('DepthToSpace', [net.op('Concat', [x, x], { axis: 1 })], { blocksize: 2 }),
    (net, x) => net.op('SpaceToDepth', [x], { blocksize: 2 }),
    (net, x) => net.op('Resize', [x, '', net.constant({ shape: [4], data: [1, 1, 2, 2] })], { mode: 'nearest' }),
    (net, x) => net.op('Split', [x], { axis: 2, num_outputs: 1 }),
  ];
  for (const [i, move] of moves.entries()) {
    const net = new Network(i + 1);
    const x = net.fake(net.input('x', [1, 6, 4, 4]), grid);
    const before = net.fake(net.op('Conv', [x, net.weights([6, 6, 1, 1], { axis: 0 })]), grid);
    const moved = net.fake(move(net, before), grid);
    const channels = { 4: 3, 5: 24 }[i] ?? 6;
    const last = net.fake(net.op('Conv', [moved, net.weights([4, channels, 1, 1], { axis: 0 })]), {
      ...grid,
      scale: 0.1,
    });
    const result = await outcome(net.bytes([last], 18));
    assert.ok(identical(result), `move ${i}`);
    assert.ok(
      result.report.ops.every((o) => o.int8 || /quantize/i.test(o.type)),
      `move ${i}`,
    );
  }
});

test.run();
