import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { partition } from '../../src/passes/partition.js';
import { graphOf, runPasses } from '../support/passes.js';

/** The region of every node by id. */
function regionsOf(text: string): Record<number, number | undefined> {
  const graph = graphOf(text);
  runPasses(graph, [partition]);
  return Object.fromEntries(graph.nodes.map((n) => [n.id, n.region]));
}

const HEAD = `graph "g"
input %0 "x": f32[4]
%1 "q": u8[4] @u8(0.1) = quantize(%0) {"quant":@u8(0.1)} id=0
`;

test('int8 nodes that hand codes to each other are one region; borders belong to none', () => {
  const regions = regionsOf(`${HEAD}%2 "a": u8[4] @u8(0.1) = relu(%1) id=1 int8
%3 "b": u8[4] @u8(0.1) = tanh(%2) id=2 int8
%4 "y": f32[4] = dequantize(%3) id=3
output %4 "y"
`);
  assert.equal(regions, { 0: undefined, 1: 1, 2: 1, 3: undefined });
});

test('a float node between two makes two regions, numbered in execution order', () => {
  const regions = regionsOf(`${HEAD}%2 "a": u8[4] @u8(0.1) = relu(%1) id=5 int8
%3 "d": f32[4] = dequantize(%2) id=6
%4 "s": f32[4] = softmax(%3) {"axis":0} id=7 float="softmax has no int8 form"
%5 "p": u8[4] @u8(0.1) = quantize(%4) {"quant":@u8(0.1)} id=8
%6 "b": u8[4] @u8(0.1) = tanh(%5) id=2 int8
%7 "y": f32[4] = dequantize(%6) id=3
output %7 "y"
`);
  assert.equal(regions, { 0: undefined, 5: 1, 6: undefined, 7: undefined, 8: undefined, 2: 2, 3: undefined });
});

test('branches that meet again are one region, and a requantize belongs to it', () => {
  const regions = regionsOf(`${HEAD}%2 "a": u8[4] @u8(0.1) = relu(%1) id=1 int8
%3 "b": u8[4] @u8(0.1) = tanh(%1) id=2 int8
%4 "r": u8[4] @u8(0.2) = requantize(%3) {"quant":@u8(0.2)} id=3
%5 "c": u8[4] @u8(0.1) = elementwise_add(%2, %4) {"activation":null} id=4 int8
output %5 "y"
`);
  assert.equal(regions, { 0: undefined, 1: 1, 2: 1, 3: 1, 4: 1 });
});

test('reals between int8 nodes do not join regions', () => {
  const regions = regionsOf(`graph "g"
input %0 "x": u8[1,1,2,2] @u8(0.1)
const %1 "w": i8[1,1,1,1] @i8(0.1) = [3]
%2 "r": f32[1,1,2,2] = conv2d(%0, %1) {$plain,"activation":null} id=0 int8
%3 "y": f32[1,1,2,2] = conv2d(%0, %1, _, %2) {$plain,"activation":null} id=1 int8
output %3 "y"
`);
  assert.equal(regions, { 0: 1, 1: 2 });
});

test.run();
