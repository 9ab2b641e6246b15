import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Sample } from '../../src/data/sample.js';
import { f32 } from '../../src/ir/tensor.js';
import { evaluateBatch } from '../../src/tasks/evaluate/batch.js';
import { areProbabilities, classify, topIndices } from '../../src/tasks/evaluate/classify.js';
import type { Column } from '../../src/tasks/evaluate/column.js';
import { Collector } from '../../src/tasks/evaluate/evaluation.js';
import { rolesOf } from '../../src/tasks/evaluate/feeds.js';

/** A network that gives its inputs, scaled; several samples per run. */
const echo = (name: string, factor: number, batch = 1): Column => ({
  name,
  inputs: [{ name: 'x', dtype: 'f32', shape: [batch, 3] }],
  outputs: [{ name: 'y', dtype: 'f32', shape: [batch, 3] }],
  memoryBytes: 0,
  run: ({ x }) => ({ y: (x as Float32Array).map((v) => v * factor) }),
});
const sample = (index: number, values: number[], label?: number): Sample => ({
  index,
  name: `s${index}`,
  tensors: [{ name: 'x', tensor: f32([1, values.length], values) }],
  ...(label === undefined ? {} : { label }),
});
const HOW = { k: 2, offset: 0 };

test('the best classes: as sorting would give them, ties to the lower index', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 1, maxLength: 30 }),
      fc.integer({ min: 1, max: 6 }),
      (list, k) => {
        const sorted = list.map((v, i) => ({ v, i })).sort((a, b) => b.v - a.v || a.i - b.i);
        assert.equal(
          topIndices(list, k),
          sorted.slice(0, k).map((e) => e.i),
        );
      },
    ),
  );
});

test('probabilities, loss, offsets and labels that are no class', () => {
  const output = (values: number[]) => ({ name: 'y', ...f32([1, values.length], values) });
  assert.ok(areProbabilities([0.25, 0.75]) && areProbabilities([0.2, 0.75]));
  assert.not(
    areProbabilities([1.5, -0.5]) ||
      areProbabilities([0.2, 0.2]) ||
      areProbabilities([1]) ||
      areProbabilities([Number.NaN, 1]),
  );
  const of = (values: number[], label: number, offset = 0) =>
    classify(output(values), { k: 2, offset, label, name: 's' });
  assert.equal(of([0.25, 0.5, 0.25], 1), { top: [1, 0], loss: Math.log(2) });
  assert.is(of([0, 1], 0).loss, -Math.log(1e-7));
  assert.equal(of([1, 5, 3], 0, -1), { top: [0, 1] });
  for (const [label, offset] of [
    [3, 0],
    [3, -1],
    [0, 1],
  ] as const)
    assert.throws(
      () => of([1, 2, 3], label, offset),
      (e: Error) => e.message.includes(`label ${label} is no class`),
    );
});

test('inputs for labels are int64, one per sample, behind the first', () => {
  const x = { name: 'x', dtype: 'f32', shape: [4, 3] } as const;
  const labels = { name: 'l', dtype: 'i64', shape: [4, 1] } as const;
  assert.is(rolesOf([x, labels]).label?.name, 'l');
  assert.is(rolesOf([x, { ...labels, shape: [4] }]).label?.name, 'l');
  for (const other of [
    { ...labels, shape: [4, 2] },
    { ...labels, dtype: 'i32' as const },
    { ...labels, shape: [1, 1] },
  ])
    assert.is(rolesOf([x, other]).label, undefined);
  assert.is(rolesOf([labels]).label, undefined);
});

test('networks with a batch get full runs: the last one is filled up and what is too much dropped', async () => {
  const samples = Array.from({ length: 5 }, (_, i) => sample(i, [i, 0, 9], 2));
  const [one, two] = await Promise.all([1, 2].map((batch) => evaluateBatch([echo('a', 1, batch)], samples, HOW)));
  assert.equal([one?.units, two?.units], [1, 2]);
  assert.equal([one?.columns[0]?.times.length, two?.columns[0]?.times.length], [5, 3]);
  assert.equal(one?.columns[0]?.samples, two?.columns[0]?.samples);
  await evaluateBatch([echo('a', 1, 2)], [sample(0, [1, 2, 3, 4, 5])], HOW).then(
    () => assert.unreachable(),
    (e: Error) => assert.match(e.message, /holds \[1,5\], but input "x" takes \[2,3\]/),
  );
});

test('a model with an accuracy layer is fed labels, and its figures are told', async () => {
  const column: Column = {
    ...echo('a', 1, 2),
    inputs: [...echo('a', 1, 2).inputs, { name: 'label', dtype: 'i64', shape: [2, 1] }],
    outputs: [
      { name: 'y', dtype: 'f32', shape: [2, 3] },
      { name: 'acc', dtype: 'f32', shape: [1] },
    ],
    run: ({ x, label }) => {
      const right = [0, 1].filter(
        (i) => topIndices((x as Float32Array).subarray(3 * i, 3 * i + 3), 1)[0] === Number((label as BigInt64Array)[i]),
      );
      return { y: x as Float32Array, acc: Float32Array.of(right.length / 2) };
    },
  };
  const samples = [
    sample(0, [1, 0, 0], 0),
    sample(1, [1, 0, 0], 1),
    sample(2, [0, 0, 1], 2),
    sample(3, [0, 1, 0], 1),
    sample(4, [1, 0, 0], 2),
  ];
  const collector = new Collector(['a'], [1]);
  collector.add({ ...(await evaluateBatch([column], samples, HOW)), bad: [], warmUp: false });
  const [found] = collector.finish(1).columns;
  assert.equal(found?.accuracy, { 1: 3 / 5 });
  assert.equal(found?.own, { acc: 0.75 }, 'the mean over the runs that were full');
});

test('what is told: accuracies, agreement, confusion, classes, changes, times without warm-up', async () => {
  const columns = [echo('FP32', 1), echo('INT8', -1)];
  const collector = new Collector(['FP32', 'INT8'], [1, 2]);
  const batches = [
    [sample(0, [3, 2, 1], 0), sample(1, [1, 3, 2], 2)],
    [sample(2, [2, 2, 2], 0)],
    [sample(3, [1, 2, 3])],
  ];
  for (const [i, samples] of batches.entries())
    collector.add({ ...(await evaluateBatch(columns, samples, HOW)), bad: [], warmUp: i === 0 });
  const found = collector.finish(2);
  assert.equal([found.samples, found.labelled, found.batches, found.threads], [4, 3, 3, 2]);
  assert.equal(
    found.columns.map((c) => c.accuracy),
    [
      { 1: 2 / 3, 2: 1 },
      { 1: 1 / 3, 2: 2 / 3 },
    ],
  );
  assert.equal(
    found.columns.map((c) => c.agreement),
    [undefined, 0.25],
  );
  assert.is(found.columns[1]?.error, 2);
  assert.equal(found.confusion, [
    [{ label: 2, predicted: 1, count: 1 }],
    [
      { label: 0, predicted: 2, count: 1 },
      { label: 2, predicted: 0, count: 1 },
    ],
  ]);
  assert.equal(found.perClass, [
    { label: 0, samples: 2, correct: [2, 1] },
    { label: 2, samples: 1, correct: [0, 0] },
  ]);
  assert.equal(
    found.changed.map((c) => [c.index, c.predicted]),
    [
      [0, [0, 2]],
      [1, [1, 0]],
      [3, [2, 0]],
    ],
  );
  assert.equal(
    found.times.map((t) => t.length),
    [2, 2],
  );
});

test('metrics see every sample, and all scores in order', async () => {
  const metric = {
    score: ({
      outputs,
      label,
    }: {
      outputs: Record<string, { data: ArrayLike<unknown> }>;
      label: number | undefined;
    }) => [Number(outputs.y?.data[0]), label],
    summarize: (scores: readonly unknown[]) => ({
      sum: (scores as number[][]).reduce((n, s) => 10 * n + (s[0] as number), 0),
    }),
  };
  const collector = new Collector(['a'], [1], metric);
  for (const values of [[1, 2], [3]])
    collector.add({
      ...(await evaluateBatch(
        [echo('a', 1)],
        values.map((v) => sample(v, [v, 0, 0])),
        HOW,
        metric,
      )),
      bad: [],
      warmUp: false,
    });
  assert.equal(collector.finish(1).columns[0]?.metric, { sum: 123 });
});

test.run();
