import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parse } from '../../src/ir/parse.js';
import { print } from '../../src/ir/print.js';
import { analyzeRanges } from '../../src/passes/analyze-ranges.js';
import { randomFeeds } from '../support/op-check.js';
import { expectWithinRanges, goldenTests, graphOf, readCases, runPasses } from '../support/passes.js';

goldenTests('analyze-ranges', [analyzeRanges], 'exact');

test('what the interpreter computes lies within the proven ranges', () => {
  for (const { input } of readCases('analyze-ranges')) {
    const graph = graphOf(input);
    runPasses(graph, [analyzeRanges]);
    for (let seed = 1; seed <= 5; seed++) expectWithinRanges(graph, randomFeeds(graph, seed, 20));
  }
});

test('ranges survive the text form', () => {
  const [{ output }] = readCases('analyze-ranges');
  const graph = graphOf(output);
  assert.is(print(parse(print(graph))), print(graph));
  assert.equal(graph.value(4).range, { lo: 0, hi: 127, proof: 'relu' });
});

test.run();
