/** The measures in examples/metrics. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { QcError } from '../../src/support/errors.js';
import { checkMetric, type Metric, type MetricTensor } from '../../src/tasks/evaluate/metric.js';

const load = async (file: string): Promise<Metric> =>
  checkMetric(
    ((await import(new URL(`../../examples/metrics/${file}`, import.meta.url).href)) as { default: unknown }).default,
    file,
  );
const f32 = (shape: number[], values: number[]): MetricTensor => ({
  dtype: 'f32',
  shape,
  data: Float32Array.from(values),
});
const mask = (values: number[]): MetricTensor => ({ dtype: 'u8', shape: [2, 2], data: Uint8Array.from(values) });
const sample = (output: MetricTensor, targets: MetricTensor[], label?: number) => ({
  index: 0,
  name: 's',
  label,
  outputs: { y: output },
  targets,
});

test('intersection over union of masks and of maps', async () => {
  const { score, summarize } = await load('segmentation-iou.mjs');
  const map = f32([1, 1, 2, 2], [0.9, 0.6, 0.4, 0.1]);
  assert.equal(summarize([score(sample(map, [mask([1, 1, 0, 0])]))]), {
    'IoU of class 1': 1,
    'mean IoU': 1,
    'pixel accuracy': 1,
  });
  const half = summarize([score(sample(map, [mask([1, 0, 0, 255])]))]);
  assert.equal(half, { 'IoU of class 1': 1 / 2, 'mean IoU': 1 / 2, 'pixel accuracy': 2 / 3 });
  const scores = f32([1, 3, 2, 2], [9, 0, 0, 0, 0, 9, 0, 0, 0, 0, 9, 9]);
  assert.is(summarize([score(sample(scores, [mask([0, 1, 2, 1])]))])['mean IoU'], (1 + 1 / 2 + 1 / 2) / 3);
  assert.throws(() => score(sample(map, [])), /has no target/);
  const low = await load('segmentation-iou.mjs?threshold=0.3');
  assert.is(low.summarize([low.score(sample(map, [f32([1, 1, 2, 2], [1, 1, 1, 0])]))])['IoU of class 1'], 1);
});

test('lines of text that are turned', async () => {
  const { score, summarize } = await load('text-angle.mjs');
  const line = (turned: number, label: number): unknown => score(sample(f32([1, 2], [1 - turned, turned]), [], label));
  assert.equal(summarize([line(0.95, 1), line(0.7, 1), line(0.6, 0), line(0.1, 0)]), {
    accuracy: 3 / 4,
    'turned lines found': 1 / 2,
    'upright lines turned': 0,
  });
});

test('what a metric throws or gives wrongly is told with its file', () => {
  const metric = (parts: object): Metric => checkMetric({ score: () => 1, summarize: () => ({}), ...parts }, 'm.mjs');
  const sampleOf = sample(mask([1, 1, 0, 0]), []);
  const message = (action: () => unknown): string => {
    try {
      action();
    } catch (error) {
      assert.equal([(error as QcError).kind, (error as QcError).where.file], ['usage', 'm.mjs']);
      return (error as Error).message;
    }
    return '';
  };
  const failing = metric({
    score() {
      throw new Error('no target');
    },
  });
  assert.is(
    message(() => failing.score(sampleOf)),
    'the metric cannot score s: no target',
  );
  assert.match(
    message(() => metric({ score: () => () => 1 }).score(sampleOf)),
    /cannot score s: .*could not be cloned/,
  );
  for (const [given, expected] of [
    [5, 'summarize gives number instead of an object of numbers'],
    [{ a: 1, b: 'x' }, '"b" is of type string instead of number'],
  ])
    assert.is(
      message(() => metric({ summarize: () => given }).summarize([])),
      `the metric cannot summarize: ${expected}`,
    );
  assert.equal(metric({ summarize: () => ({ a: Number.NaN }) }).summarize([]), { a: Number.NaN });
});

test.run();
