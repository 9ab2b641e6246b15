/** Recovery: what is learned from samples, and what is kept of it. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compile, lower } from '../../src/compile.js';
import { f32 } from '../../src/ir/tensor.js';
import type { Quant } from '../../src/ir/type.js';
import { resolveOptions } from '../../src/options.js';
import { weightGrid } from '../../src/quant/weights.js';
import { createLoader } from '../../src/runtime/loader.js';
import {
  type CalibrateOptions,
  calibrateFrom,
  calibrationOfTable,
  observe,
} from '../../src/tasks/calibrate/calibrate.js';
import { heldSamples, judgedNames } from '../../src/tasks/calibrate/judge.js';
import { calibrate } from '../../src/tasks/calibrate/run.js';
import { readScaleTable, scaleTableText, tableOf } from '../../src/tasks/calibrate/scale-table.js';
import { Network, random } from '../support/network.js';
import { samplesOf } from '../support/samples.js';

/** y = x w + b for 4 numbers and 3 results, weights that rounding moves. */
const WEIGHTS = [1, 0.3, -0.7, 0.123, 0.456, 0.789, -0.321, 0.654, 0.987, 0.0123, -0.0456, 0.5];
const BIAS = [0.5, -0.25, 1];

function product(): Uint8Array {
  const net = new Network(1);
  const w = net.constant({ shape: [4, 3], data: WEIGHTS });
  const b = net.constant({ shape: [3], data: BIAS });
  return net.bytes([net.op('Gemm', [net.input('x', [1, 4]), w, b])]);
}

const around = (seed: number, count: number, mean: (i: number) => number): Float32Array[] => {
  const next = random(seed);
  return Array.from({ length: count }, (_, i) => Float32Array.from({ length: 4 }, () => mean(i) + 0.1 * next()));
};

test('the bias takes back what rounding the weights moves the mean of each sum by', async () => {
  const data = around(3, 5, () => 0.8); // too few to set some aside
  const { calibration, recovered } = await calibrate(product(), samplesOf([1, 4], data), { recover: ['bias'] });
  assert.equal(recovered, { ways: ['bias'], judged: [], held: 0 });
  const [[, learned]] = calibration.products;
  const { scales } = weightGrid(f32([4, 3], Float32Array.from(WEIGHTS)), 1, true) as Quant;
  for (let c = 0; c < 3; c++) {
    let shift = 0;
    for (let i = 0; i < 4; i++) {
      const w = Math.fround(WEIGHTS[3 * i + c]);
      const mean = data.reduce((sum, x) => sum + x[i], 0) / data.length;
      shift += (w - Math.round(w / scales[c]) * scales[c]) * mean;
    }
    assert.ok(Math.abs(Number(learned.bias?.data[c]) - BIAS[c] - shift) < 1e-6, `channel ${c}`);
  }
});

test('what the samples set aside speak against is left out', async () => {
  const options: CalibrateOptions = { recover: ['bias'] };
  assert.equal(heldSamples(12), [3, 7, 11]);
  assert.equal(heldSamples(7), []);
  const like = await calibrate(
    product(),
    samplesOf(
      [1, 4],
      around(5, 12, () => 0.8),
    ),
    options,
  );
  assert.equal(like.recovered?.ways, ['bias']);
  const unlike = around(5, 12, (i) => (i % 4 === 3 ? -0.8 : 0.8));
  const other = await calibrate(product(), samplesOf([1, 4], unlike), options);
  assert.equal(other.recovered?.ways, []);
  const [best, second] = other.recovered?.judged ?? [];
  assert.equal([best.ways, second.ways], [[], ['bias']]);
  assert.ok(best.sqnr > second.sqnr);
  assert.is(other.recovered?.held, 3);
  assert.is(other.calibration.products.size, 0);
});

test('what a softmax reads is judged in its place', () => {
  const net = new Network(1);
  const logits = net.op('Gemm', [net.input('x', [1, 4]), net.values([4, 3])]);
  const bytes = net.bytes([net.op('Softmax', [logits]), net.op('Relu', [logits])]);
  const { graph } = lower(bytes, resolveOptions({}), 'fused');
  const [, relu] = graph.outputs.map((o) => o.name);
  assert.equal(judgedNames(graph), [logits, relu]);
});

/** Two convolutions whose channels differ by factors of a hundred. */
function uneven(): Uint8Array {
  const net = new Network(5);
  const factors = [1, 0.01, 30, 0.2, 5, 0.03, 1, 0.5];
  const weights = (shape: readonly number[], factor: (i: number) => number): string => {
    const count = shape.reduce((a, b) => a * b, 1);
    return net.constant({ shape, data: Array.from({ length: count }, (_, i) => factor(i) * net.next()) });
  };
  const x = net.input('x', [1, 3, 8, 8]);
  const w1 = weights([8, 3, 3, 3], (i) => factors[Math.floor(i / 27)]);
  const a = net.op('Relu', [net.op('Conv', [x, w1, weights([8], (c) => factors[c])], { pads: [1, 1, 1, 1] })]);
  const w2 = weights([4, 8, 1, 1], (i) => 1 / factors[i % 8]);
  return net.bytes([net.op('Conv', [a, w2])]);
}

test('equalization: scales per tensor lose far less; a kept table says so, statistics do not mix', async () => {
  const net = uneven();
  const next = random(2);
  const data = Array.from({ length: 8 }, () => Float32Array.from({ length: 192 }, next));
  const source = samplesOf([1, 3, 8, 8], data);
  const outputs = async (options: object): Promise<Float32Array[]> => {
    const { wasm } = await compile(net, options);
    const loaded = createLoader('net', () => '').loadSync(wasm as Uint8Array<ArrayBuffer>);
    return data.map((x) => Object.values(loaded.run({ x }))[0] as Float32Array);
  };
  const float = await outputs({ precision: 'fp32' });
  const error = async (options: CalibrateOptions): Promise<number> => {
    const { calibration } = await calibrate(net, source, { weights: 'per-tensor', ...options });
    const int8 = await outputs({ calibration });
    return Math.sqrt(float.reduce((sum, y, i) => sum + y.reduce((s, v, j) => s + (v - int8[i][j]) ** 2, 0), 0));
  };
  const [plain, equalized] = [await error({ recover: [] }), await error({ recover: ['equalize'] })];
  assert.ok(equalized < plain / 4, `${equalized} with, ${plain} without`);

  const options: CalibrateOptions = { recover: ['equalize'] };
  const { calibration } = await calibrate(net, source, options);
  const table = readScaleTable('t.json', scaleTableText(tableOf(calibration)));
  assert.ok(table.equalized);
  assert.equal(calibrationOfTable(table), calibration);
  const statistics = await observe(net, source, options);
  assert.equal(tableOf((await calibrateFrom(net, statistics, options)).calibration), table);
  let refused = '';
  await calibrateFrom(net, statistics, {}).catch((e: Error) => {
    refused = e.message;
  });
  assert.match(refused, /another model/);
});

test.run();
