/** The ops of an accuracy layer in Paddle programs: softmax, cross_entropy, top_k, accuracy, mean. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compile } from '../../src/compile.js';
import { createLoader } from '../../src/runtime/loader.js';
import { type ModelInput, type OpInput, paddleModel } from '../support/paddle.js';
import { random } from '../support/tensors.js';

const [N, C] = [6, 5];

const accuracy = (k: number): OpInput[] => [
  { type: 'top_k', inputs: { X: 'probs' }, outputs: { Out: `top${k}`, Indices: `indices${k}` }, attrs: { k } },
  {
    type: 'accuracy',
    inputs: { Out: `top${k}`, Indices: `indices${k}`, Label: 'label' },
    outputs: { Accuracy: `acc${k}`, Correct: `correct${k}`, Total: `total${k}` },
  },
];

/** A classifier with its accuracy layer, as training scripts export it for evaluation. */
const model = (loss: readonly OpInput[]): ModelInput => ({
  inputs: { x: { shape: [N, C] }, label: { shape: [N, 1], dtype: 'i64' } },
  ops: [...loss, { type: 'mean', inputs: { X: 'loss' }, outputs: { Out: 'avg' } }, ...accuracy(1), ...accuracy(2)],
  outputs: ['avg', 'acc1', 'acc2', 'correct2', 'total1'],
});

const LOSSES: Readonly<Record<string, readonly OpInput[]>> = {
  'softmax and cross_entropy': [
    { type: 'softmax', inputs: { X: 'x' }, outputs: { Out: 'probs' } },
    { type: 'cross_entropy', inputs: { X: 'probs', Label: 'label' }, outputs: { Y: 'loss' } },
  ],
  softmax_with_cross_entropy: [
    {
      type: 'softmax_with_cross_entropy',
      inputs: { Logits: 'x', Label: 'label' },
      outputs: { Softmax: 'probs', Loss: 'loss' },
    },
  ],
};

for (const [name, loss] of Object.entries(LOSSES))
  test(`${name}: loss, acc1 and acc2 of random batches`, async () => {
    const { wasm } = await compile(paddleModel(model(loss)), { file: 'm.pdmodel' });
    const net = createLoader('m', () => '').loadSync(wasm as Uint8Array<ArrayBuffer>);
    for (let seed = 0; seed < 20; seed++) {
      const next = random(seed);
      const x = Float32Array.from({ length: N * C }, () => 6 * next() - 3);
      const label = BigInt64Array.from({ length: N }, () => BigInt(Math.floor(next() * C)));
      const { avg, acc1, acc2, correct2, total1 } = net.run({ x, label });
      const [hits, losses] = [[0, 0], [] as number[]];
      for (let n = 0; n < N; n++) {
        const row = [...x.subarray(n * C, (n + 1) * C)];
        const own = Number(label[n]);
        const better = row.filter((v) => v > row[own]).length;
        if (better < 1) hits[0]++;
        if (better < 2) hits[1]++;
        losses.push(Math.log(row.reduce((sum, v) => sum + Math.exp(v), 0)) - row[own]);
      }
      assert.ok(Math.abs(Number(avg?.[0]) - losses.reduce((a, b) => a + b) / N) < 1e-5, `loss of seed ${seed}`);
      assert.ok(Math.abs(Number(acc1?.[0]) - hits[0] / N) < 1e-6, `acc1 of seed ${seed}`);
      assert.ok(Math.abs(Number(acc2?.[0]) - hits[1] / N) < 1e-6, `acc2 of seed ${seed}`);
      assert.equal([correct2?.[0], total1?.[0]], [hits[1], N]);
    }
  });

test('soft labels are reported', async () => {
  const [softmax, entropy] = LOSSES['softmax and cross_entropy'] as readonly [OpInput, OpInput];
  const soft = model([softmax, { ...entropy, attrs: { soft_label: true } }]);
  await compile(paddleModel(soft), { file: 'm.pdmodel' }).then(
    () => assert.unreachable(),
    (e: Error) => assert.match(e.message, /cross_entropy with soft labels/),
  );
});

test.run();
