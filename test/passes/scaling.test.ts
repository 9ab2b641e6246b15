import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compile } from '../../src/compile.js';
import { Graph, type Value } from '../../src/ir/graph.js';
import { f32 } from '../../src/ir/tensor.js';
import { perTensor } from '../../src/ir/type.js';
import { runPipeline } from '../../src/passes/pipeline.js';
import { model } from '../support/onnx.js';
import { passContext } from '../support/passes.js';

const PLANE = [1, 1, 2, 2];
const CONV = { strides: [1, 1], pads: [0, 0, 0, 0], dilations: [1, 1], groups: 1, activation: null };

/** A long fake-quantized network: blocks of convolution, sum, relu, moves and roundings; `nodes` in all, or a few more. */
function longNetwork(nodes: number): Graph {
  const graph = new Graph('long');
  const real = (shape: number[]) => ({ dtype: 'f32' as const, shape });
  const add = (op: string, attrs: object, inputs: Value[], type: Value['type'] = real(PLANE)): Value =>
    graph.output(
      graph.addNode({
        op,
        attrs: attrs as Record<string, never>,
        inputs: inputs.map((v) => v.id),
        outputs: [{ type }],
      }),
    );
  const quant = perTensor('i8', 0.02);
  const rounded = (x: Value): Value => {
    const codes = add('quantize', { quant }, [x], { dtype: 'i8', shape: x.type.shape, quant });
    return add('dequantize', {}, [codes], real([...x.type.shape]));
  };
  let x = rounded(graph.addInput('x', real(PLANE)));
  while (graph.nodes.length < nodes) {
    const w = rounded(graph.addConstant('w', f32([1, 1, 1, 1], [0.5])));
    const conv = add('assign', {}, [add('conv2d', CONV, [x, w])]);
    const sum = rounded(add('relu', {}, [add('elementwise_add', { activation: null }, [conv, x])]));
    const flat = add('reshape2', { shape: [4] }, [sum], real([4]));
    x = add('reshape2', { shape: PLANE }, [flat]);
  }
  graph.addOutput(x.id, 'y');
  return graph;
}

/** A long chain of moves with a grid at its end only, and light ops in front of a single convolution. */
function longMoves(nodes: number): Graph {
  const graph = new Graph('moves');
  let x = graph.addInput('x', { dtype: 'f32', shape: [4] });
  const move = (shape: number[], grid: boolean): void => {
    const type = { dtype: 'f32' as const, shape, ...(grid ? { quant: perTensor('i8', 0.02) } : {}) };
    x = graph.output(graph.addNode({ op: 'reshape2', attrs: { shape }, inputs: [x.id], outputs: [{ type }] }));
  };
  for (let i = 0; i < nodes; i++) move(i % 2 ? [4] : [2, 2], false);
  move(PLANE, true);
  const w = graph.addConstant('w', {
    type: { dtype: 'i8', shape: [1, 1, 1, 1], quant: perTensor('i8', 0.1) },
    data: Int8Array.of(3),
  });
  const y = graph.addNode({
    op: 'conv2d',
    attrs: CONV,
    inputs: [x.id, w.id],
    outputs: [{ type: { dtype: 'f32', shape: PLANE } }],
  });
  graph.addOutput(graph.output(y).id, 'y');
  return graph;
}

/** Runs the pipeline, and counts how often a pass asks who reads or makes values: a walk over all nodes each time. */
function walksOf(graph: Graph): Record<string, number> {
  const walks: Record<string, number> = {};
  let count = 0;
  for (const name of ['producers', 'consumers'] as const) {
    const walk = graph[name].bind(graph);
    graph[name] = (() => {
      count++;
      return walk();
    }) as never;
  }
  runPipeline(graph, passContext(), ({ name }) => {
    walks[name] = count;
    count = 0;
  });
  return walks;
}

for (const make of [longNetwork, longMoves])
  test(`passes walk over all nodes as often for 1,000 as for 100: ${make.name}`, () => {
    const walks = walksOf(make(1000));
    assert.equal(walks, walksOf(make(100)));
    assert.ok(Object.values(walks).reduce((a, b) => a + b) > 10, 'nothing was counted');
  });

test('10,000 nodes overflow no stack and end fully in int8', () => {
  const graph = longNetwork(10_000);
  runPipeline(graph, passContext());
  assert.equal([...new Set(graph.nodes.map((n) => n.op))].sort(), ['conv2d', 'dequantize', 'quantize', 'reshape2']);
  assert.equal(new Set(graph.nodes.filter((n) => n.placement?.int8).map((n) => n.region)), new Set([1]));
});

test('grids and placement travel along 5,000 moves', () => {
  const graph = longMoves(5000);
  runPipeline(graph, passContext());
  assert.ok(graph.nodes.every((n) => n.op === 'quantize' || n.placement?.int8));
});

test('a file of 10,000 nodes compiles', async () => {
  const nodes = Array.from({ length: 10_000 }, (_, i) => {
    return {
      op: ['Relu', 'Neg', 'Add'][i % 3] as string,
      inputs: i % 3 < 2 ? [`v${i}`] : [`v${i}`, 'v0'],
      outputs: [`v${i + 1}`],
    };
  });
  const { report } = await compile(model({ inputs: { v0: [2, 3] }, nodes, outputs: ['v10000'] }));
  assert.ok(report.ops.length > 6000);
});

test.run();
