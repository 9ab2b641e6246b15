import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { inferScales } from '../../src/passes/infer-scales.js';
import { graphOf, passContext, runPasses } from '../support/passes.js';

/** A convolution with float weights whose operand the model observed. */
const CONV = `graph "g"
input %0 "x": f32[1,1,2,2]
const %1 "w": f32[2,1,1,1] = [0.5, -2]
%2 "a": f32[1,1,2,2] = tanh(%0) id=0
%3 "y": f32[1,2,2,2] = conv2d(%2, %1) {"strides":[1,1],"pads":[0,0,0,0],"dilations":[1,1],"groups":1,"activation":null} id=1
output %3 "y"
`;

const SCALED = `graph "g"
input %0 "x": f32[4] @i8(0.5)
const %1 "k": f32[] = [3]
%2 "y": f32[4] = elementwise_mul(%0, %1) {"activation":null} id=0
%3 "z": f32[4] = tanh(%2) id=1
output %3 "z"
`;

const observed = { threshold: 12.7, source: 'out_threshold of tanh (0)' };

test('what was observed becomes a grid, and float weights behind it codes per channel', () => {
  const graph = graphOf(CONV);
  graph.value(2).observed = observed;
  runPasses(graph, [inferScales]);
  const { type, gridSource } = graph.value(2);
  assert.is(type.quant?.scales[0], Math.fround(12.7) / 127);
  assert.is(gridSource, observed.source);
  const weights = graph.value(graph.nodes[1]?.inputs[1] as number);
  assert.equal(Array.from(weights.data?.data as Int8Array), [127, -127]);
  assert.equal(weights.type.quant?.scales, [0.5 / 127, 2 / 127]);
});

test('not where it is not wanted, and not for ops that the model keeps in float', () => {
  for (const kept of [false, true]) {
    const graph = graphOf(CONV);
    graph.value(2).observed = observed;
    if (kept) graph.keptFloat.set(1, 'skip_quant in the model');
    runPasses(graph, [inferScales], passContext({ inferScales: kept }));
    assert.is(graph.value(2).type.quant, undefined);
    assert.is(graph.value(graph.nodes[1]?.inputs[1] as number).type.quant, undefined);
  }
});

test('a grid passes through a product with one positive constant', () => {
  const graph = graphOf(SCALED);
  runPasses(graph, [inferScales]);
  assert.equal(graph.value(2).type.quant?.scales, [1.5]);
  const negative = graphOf(SCALED.replace('[3]', '[-3]'));
  runPasses(negative, [inferScales]);
  assert.is(negative.value(2).type.quant, undefined);
});

test.run();
