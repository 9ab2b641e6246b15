/** Calibration of float networks: scales, shards, tables, recovery, the written model, refusals. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compile } from '../../src/compile.js';
import { QcError } from '../../src/support/errors.js';
import { parseAlgorithms } from '../../src/tasks/calibrate/algorithms.js';
import {
  type CalibrateOptions,
  calibrateFrom,
  calibrationOfTable,
  observe,
  targetsOf,
} from '../../src/tasks/calibrate/calibrate.js';
import { quantizedModel } from '../../src/tasks/calibrate/quantized-model.js';
import { parseRecoveries, RECOVERIES } from '../../src/tasks/calibrate/recoveries.js';
import { calibrate } from '../../src/tasks/calibrate/run.js';
import { checkScaleTable, readScaleTable, scaleTableText, tableOf } from '../../src/tasks/calibrate/scale-table.js';
import { mergeStatistics, readStatistics, statisticsText } from '../../src/tasks/calibrate/statistics.js';
import { Network, random } from '../support/network.js';
import { samplesOf } from '../support/samples.js';
import { programOf } from '../support/wasm-sections.js';

const SHAPE = [1, 3, 8, 8];
const SIZE = 192;

function network(): Uint8Array {
  const net = new Network(3);
  const x = net.input('x', SHAPE);
  const a = net.op('Relu', [net.op('Conv', [x, net.values([8, 3, 3, 3]), net.values([8])], { pads: [1, 1, 1, 1] })]);
  const b = net.op('Conv', [a, net.values([8, 8, 1, 1])]);
  const joined = net.op('Concat', [net.op('Relu', [b]), a], { axis: 1 });
  const pooled = net.op('Flatten', [net.op('GlobalAveragePool', [joined])]);
  return net.bytes([net.op('Softmax', [net.op('Gemm', [pooled, net.values([16, 4]), net.values([4])])])]);
}

const NET = network();
const next = random(1);
const DATA = Array.from({ length: 8 }, () => Float32Array.from({ length: SIZE }, next));
const SAMPLES = samplesOf(SHAPE, DATA);

/** Asserts that an action throws a QcError of a kind. */
async function refuses(kind: QcError['kind'], message: RegExp, action: () => unknown): Promise<void> {
  try {
    await action();
  } catch (error) {
    assert.instance(error, QcError);
    assert.is((error as QcError).kind, kind);
    assert.match((error as QcError).format(), message);
    return;
  }
  assert.unreachable(`nothing refused: ${message}`);
}

test('the written model and the direct way compile to the same code and data, with every recovery', async () => {
  for (const recover of [[], ['bias'], ['round'], ['equalize'], RECOVERIES] as const) {
    const { calibration } = await calibrate(NET, SAMPLES, { algorithm: 'percentile', recover });
    const [direct, written] = [await compile(NET, { calibration }), await compile(quantizedModel(NET, calibration))];
    assert.equal(programOf(written.wasm), programOf(direct.wasm), recover.join());
    assert.ok(direct.report.ops.some((op) => op.int8 && op.type === 'conv2d'));
  }
});

test('a kept table gives the model that it came from', async () => {
  const { calibration } = await calibrate(NET, SAMPLES, { recover: [] });
  const table = readScaleTable('t.json', scaleTableText(tableOf(calibration)));
  assert.equal(table, tableOf(calibration));
  assert.equal(quantizedModel(NET, calibrationOfTable(table)), quantizedModel(NET, calibration));
});

test('shards in any order give the bytes of one process, for every algorithm but moving-average', async () => {
  const shard = async (file: string, from: number, to: number) => ({
    file,
    statistics: readStatistics(file, statisticsText(await observe(NET, SAMPLES, {}, [from, to]))),
  });
  const [a, b, c, d] = [await shard('a', 0, 2), await shard('b', 2, 3), await shard('c', 3, 6), await shard('d', 6, 8)];
  const merged = mergeStatistics([c, a, d, b]);
  const backwards = await observe(NET, samplesOf(SHAPE, [...DATA].reverse()));
  const whole = await observe(NET, SAMPLES);
  const text = async (statistics: typeof whole, options: CalibrateOptions): Promise<string> =>
    scaleTableText(tableOf((await calibrateFrom(NET, statistics, options)).calibration));
  for (const algorithm of ['minmax', 'percentile', 'kl', 'mse', 'aciq'])
    for (const scheme of ['s8', 'u8', 'auto'] as const) {
      const expected = await text(whole, { algorithm, scheme });
      assert.is(await text(merged, { algorithm, scheme }), expected, algorithm);
      assert.is(await text(backwards, { algorithm, scheme }), expected, algorithm);
    }
  await refuses('usage', /order of the samples/, () => text(merged, { algorithm: 'moving-average' }));
  await refuses('usage', /order of the samples/, () => observe(NET, SAMPLES, { algorithm: 'moving-average' }, [0, 4]));
  await refuses('usage', /counts once/, () => mergeStatistics([a, b, { file: 'twin', statistics: a.statistics }]));
  const other = await observe(NET, SAMPLES, { opIdsToSkip: [0] });
  await refuses('usage', /different models/, () => mergeStatistics([a, { file: 'other', statistics: other }]));
  await refuses('usage', /another model/, () => calibrateFrom(NET, other));
});

test('algorithms by op type; symmetric grids; per tensor', async () => {
  const options = { algorithm: 'percentile,Conv=kl,input=minmax', scheme: 's8', weights: 'per-tensor' } as const;
  const { values, calibration, scheme } = await calibrate(NET, SAMPLES, options);
  assert.is(scheme, 's8');
  assert.not(calibration.perChannel);
  assert.equal(
    [...new Set(values.map((v) => `${v.op} ${v.algorithm}`))].sort(),
    ['concat percentile', 'conv2d kl', 'input minmax', 'pool2d percentile'].sort(),
  );
  assert.ok(values.every((v) => v.dtype === 'i8' && v.zeroPoint === 0 && v.scale > 0));
  const averaged = await calibrate(NET, SAMPLES, { algorithm: 'moving-average', batchSize: 3, recover: [] });
  assert.ok(averaged.values.every((v) => v.covered.hi <= v.range.hi * 1.01));
});

test('words that mean nothing are refused', async () => {
  await refuses('usage', /no algorithm "best"/, () => parseAlgorithms('best', 'mse'));
  await refuses('usage', /"conv9" is no op type/, () => parseAlgorithms('kl,conv9=mse', 'mse'));
  await refuses('usage', /two algorithms/, () => parseAlgorithms('kl,mse', 'mse'));
  await refuses('usage', /no recovery "luck"/, () => parseRecoveries(['luck']));
  await refuses('usage', /s8, u8 or auto/, () => observe(NET, SAMPLES, { scheme: 'u4' as 'u8' }));
  await refuses('usage', /percentile of 40/, () => observe(NET, SAMPLES, { percentile: 40 }));
});

test('samples that a network cannot be calibrated with are refused by name', async () => {
  const nan = DATA.map((d) => d.slice());
  (nan[2] as Float32Array)[70] = Number.NaN;
  await refuses('model', /sample 2: input "x"[\s\S]*not finite/, () => observe(NET, samplesOf(SHAPE, nan)));
  const huge = DATA.map((d) => d.map((v) => 3e38 * v));
  await refuses('model', /sample 0: conv2d \(0\) "Conv_[\s\S]*not finite/, () => observe(NET, samplesOf(SHAPE, huge)));
  const small = samplesOf([1, 3, 4, 5], [new Float32Array(60)]);
  await refuses('model', /sample 0[\s\S]*\[1, 3, 4, 5\][\s\S]*"x" takes f32 \[1, 3, 8, 8\]/, () => observe(NET, small));
  await refuses('model', /no samples/, () => observe(NET, samplesOf(SHAPE, [])));
  const { calibration } = await calibrate(NET, SAMPLES, { recover: [] });
  await refuses('usage', /quantized already/, () => observe(quantizedModel(NET, calibration), SAMPLES));
  const net = new Network();
  const plain = net.bytes([net.op('Relu', [net.input('x', SHAPE)])]);
  await refuses('model', /no convolution or product/, () => observe(plain, SAMPLES));
});

test('damaged and foreign tables are refused with the entry', async () => {
  const entry = (name: string, scale: number): string =>
    `{"format":"qc-scales","version":1,"values":{"${name}":{"dtype":"u8","scale":${scale},"zeroPoint":0}}}`;
  await refuses('model', /t.json: the entry "x" needs a scale/, () => readScaleTable('t.json', entry('x', -1)));
  await refuses('model', /no JSON/, () => readScaleTable('t.json', '{'));
  await refuses('model', /not a scale table/, () => readScaleTable('t.json', '{}'));
  await refuses('model', /named "z"/, () => checkScaleTable('t', readScaleTable('t', entry('z', 1)), targetsOf(NET)));
});

test('samples that are all alike, and values that are constant, are pointed out', async () => {
  const ones = Array.from({ length: 3 }, () => new Float32Array(SIZE).fill(1));
  const { warnings } = await calibrate(NET, samplesOf(SHAPE, ones));
  assert.ok(warnings.includes('all 3 samples are alike'));
  assert.ok(warnings.some((w) => w.startsWith('"x" is 1 everywhere')));
  assert.equal((await calibrate(NET, SAMPLES)).warnings, []);
  const spiked = DATA.map((d) => d.slice());
  (spiked[3] as Float32Array)[50] = 1e4;
  const outliers = await calibrate(NET, samplesOf(SHAPE, spiked), { recover: [] });
  assert.ok(outliers.warnings.some((w) => /^"x" has huge outliers: 1.000e\+4, while 99.87 % .* within 0.99/.test(w)));
});

test.run();
