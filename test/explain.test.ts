import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { explain } from '../src/explain.js';
import type { Graph } from '../src/ir/graph.js';
import type { PassContext } from '../src/passes/pass.js';
import { PIPELINE, runPipeline } from '../src/passes/pipeline.js';
import { requireInt8 } from '../src/require-int8.js';
import { QcError } from '../src/support/errors.js';
import { graphOf, passContext } from './support/passes.js';

/** Two convolutions with a softmax and a lone sum between them: two regions, and something left in float. */
const NETWORK = `graph "g"
input %0 "x": f32[1,1,4,4]
const %1 "w": i8[1,1,1,1] @i8(0.01) = [50]
%2 "q": u8[1,1,4,4] @u8(0.02, zp=128) = quantize(%0) {"quant":@u8(0.02, zp=128)} id=0
%3 "d": f32[1,1,4,4] = dequantize(%2) id=1
%4 "wd": f32[1,1,1,1] = dequantize(%1) id=2
%5 "c": f32[1,1,4,4] = conv2d(%3, %4) {$plain,"activation":null} id=3 origin="Conv:first"
%6 "r": f32[1,1,4,4] = clip(%5) {"min":0,"max":6} id=4 origin="Clip:cut"
%7 "q1": u8[1,1,4,4] @u8(0.03) = quantize(%6) {"quant":@u8(0.03)} id=5
%8 "d1": f32[1,1,4,4] = dequantize(%7) id=6
%9 "m": f32[1,1,2,2] = pool2d(%8) {"poolType":"max",$window} id=7
%10 "s": f32[1,1,2,2] = softmax(%9) {"axis":3} id=8
%11 "q2": u8[1,1,2,2] @u8(0.004) = quantize(%10) {"quant":@u8(0.004)} id=9
%12 "d2": f32[1,1,2,2] = dequantize(%11) id=10
%13 "e": f32[1,1,2,2] = conv2d(%12, %4) {$plain,"activation":null} id=11
%14 "q3": u8[1,1,2,2] @u8(0.01) = quantize(%13) {"quant":@u8(0.01)} id=12
%15 "d3": f32[1,1,2,2] = dequantize(%14) id=13
output %15 "y"
`;

function lowered(options: Partial<PassContext> = {}): Graph {
  const graph = graphOf(NETWORK);
  runPipeline(graph, passContext(options));
  return graph;
}

test('ops say which pass and rule made them, and which nodes of the source they compute', () => {
  const { ops } = explain(lowered());
  const conv = ops.find((op) => op.id === 3);
  const step = PIPELINE.findIndex((pass) => pass.name === 'fuse-activation') + 1;
  assert.equal(conv?.madeBy, { step, pass: 'fuse-activation', rule: 'fuse-activation' });
  assert.equal(conv?.sources, ['first', 'cut']);
  assert.ok(conv?.changes.some((c) => c.what === 'fused' && c.detail === 'takes relu6 (4) in'));
  assert.ok(conv?.changes.some((c) => c.what === 'placed' && c.detail === 'int8'));
  assert.is(ops.find((op) => op.id === 8)?.madeBy, null);
  const inserted = ops.filter((op) => /^(de|re)?quantize$/.test(op.type));
  assert.ok(inserted.length >= 4);
  for (const op of inserted) assert.is(op.madeBy?.pass, 'insert-quantize', `${op.type} (${op.id})`);
});

test('every conversion says who needs it', () => {
  const { ops } = explain(lowered());
  const needs = ops.filter((op) => /quantize/.test(op.type)).map((op) => op.neededBy ?? '');
  assert.ok(needs.some((text) => text === 'conv2d (3) on codes, input "x" gives reals'));
  assert.ok(needs.some((text) => text === 'softmax (8) in float: softmax has no int8 form'));
  assert.ok(needs.some((text) => text === 'conv2d (11) on codes, softmax (8) gives reals: softmax has no int8 form'));
  assert.ok(needs.some((text) => text === 'output "y" is real'));
});

test('a rounding that stays in float, and a requantize', () => {
  const skipped = explain(lowered({ precision: 'fake-quantized' }));
  assert.ok(skipped.ops.some((op) => op.neededBy === 'the rounding that the model has on softmax (8)'));
  const graph = graphOf(`graph "g"
input %0 "x": u8[1,1,2,2] @u8(0.1)
%1 "r": u8[1,1,2,2] @u8(0.2) = requantize(%0) {"quant":@u8(0.2)} id=0
%2 "t": u8[1,1,2,2] @u8(0.2) = transpose2(%1) {"perm":[0,1,3,2]} id=1 int8
output %2 "y"
`);
  assert.is(explain(graph).ops[0]?.neededBy, 'transpose2 (1) on scale 0.2 zp 0, input "x" gives scale 0.1 zp 0');
});

test('regions have their borders, conversions and ops', () => {
  const { partitions, decisions } = explain(lowered());
  assert.equal(
    partitions.map((p) => p.ops),
    [[3, 7], [11]],
  );
  assert.equal(partitions[0]?.types, { conv2d: 1, pool2d: 1 });
  assert.equal(partitions[0]?.conversions, { quantize: 1, dequantize: 1, requantize: 0, elements: 20 });
  assert.match(partitions[1]?.inputs[0]?.other.join() ?? '', /^quantize \(\d+\)$/);
  assert.match(partitions[1]?.outputs[0]?.other.join() ?? '', /^dequantize \(\d+\)$/);
  assert.equal(
    decisions.map((d) => [d.ops, d.int8]),
    [
      [[3, 7], true],
      [[11], true],
    ],
  );
  assert.match(decisions[0]?.why ?? '', /^a convolution or product is worth converting 20 elements at 2 borders/);
});

test('regions smaller than asked for stay in float, without the rounding of their results', () => {
  const graph = lowered({ minRegion: 2 });
  const node = graph.nodes.find((n) => n.id === 11);
  assert.equal(node?.placement, { int8: false, byUser: true, reason: 'its int8 region of 1 op is smaller than 2' });
  assert.ok(graph.nodes.find((n) => n.id === 3)?.placement?.int8);
  assert.is(graph.nodes.at(-1)?.id, 11);
  assert.equal(
    explain(graph).decisions.map((d) => d.int8),
    [true, false],
  );
  assert.ok(lowered({ minRegion: 3 }).nodes.every((n) => !n.placement?.int8));
});

test('what has to be int8 and is not fails by name, id and reason', () => {
  const notes: string[] = [];
  requireInt8(lowered(), new Set(['conv2d', 'relu6']), (text) => notes.push(text));
  assert.equal(notes, []);
  requireInt8(lowered(), new Set(['fc']), (text) => notes.push(text));
  assert.equal(notes, ['int8 is required of fc, but the model has none']);
  const fails = (graph: Graph, types: string[]): QcError => {
    try {
      requireInt8(graph, new Set(types), () => {});
    } catch (error) {
      if (error instanceof QcError) return error;
      throw error;
    }
    throw new Error('it did not fail');
  };
  const skipped = fails(lowered({ opIdsToSkip: [3] }), ['conv2d']);
  assert.is(skipped.kind, 'check');
  assert.match(skipped.message, /^1 op is not int8, as required:\n {2}conv2d \(3\) "first": skipped by id 3$/);
  assert.match(fails(lowered({ opIdsToSkip: [3] }), ['relu6']).message, /conv2d \(3\)/);
  assert.match(fails(lowered({ opsToQuantize: new Set(['pool2d']) }), ['conv2d']).message, /^2 ops are.*not selected/s);
});

test.run();
