import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Measured, rank } from '../../tools/tune-kernels/table.js';

const engine = (environment: string, weight: number, rates: Record<string, readonly number[]>): Measured => ({
  environment,
  weight,
  rates: [rates],
});

test('the best tile over all engines', () => {
  const measured = [
    engine('a', 1, { '4x8/1': [10, 20], '2x16/1': [9, 18] }),
    engine('b', 0.5, { '4x8/1': [30, 30], '2x16/1': [31, 31] }),
  ];
  const { tile, groups, measured: of } = rank(measured, 0);
  assert.equal(tile, [4, 8, 1]);
  assert.is(groups, undefined);
  assert.equal(of?.rates, { a: 20, b: 30 });
});

test('tiles that can be grouped are judged by their groups', () => {
  const rates = {
    '4x8/1': [10, 10],
    '2x16/2': [11, 11],
    '3x8/1': [10.5, 10.5],
    '4x8/1g2': [13, 13],
    '4x8/1g4': [16, 16],
    '3x8/1g2': [12, 12],
    '3x8/1g4': [15, 15],
  };
  const { tile, groups } = rank([engine('a', 1, rates)], 0);
  assert.equal(tile, [4, 8, 1]);
  assert.equal(groups, [
    [2, 0.77],
    [4, 0.63],
  ]);
});

test.run();
