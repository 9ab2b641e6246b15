import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Graph } from '../../src/ir/graph.js';
import { f32 } from '../../src/ir/tensor.js';
import type { TensorType } from '../../src/ir/type.js';
import { QcError } from '../../src/support/errors.js';

const TYPE: TensorType = { dtype: 'f32', shape: [2] };

function chain() {
  const graph = new Graph('g');
  graph.reserveIds(10);
  const x = graph.addInput('x', TYPE);
  const w = graph.addConstant('w', f32([2], [1, 2]));
  const add = graph.addNode({ id: 4, op: 'add', inputs: [x.id, w.id, null], outputs: [{ name: 'y', type: TYPE }] });
  const relu = graph.addNode({ op: 'relu', inputs: add.outputs, outputs: [{ type: TYPE }] });
  graph.addOutput(graph.output(relu).id, 'out');
  return { graph, x, w, add, relu };
}

test('source ids are kept, inserted nodes count on from the reserved ones', () => {
  const { graph, add, relu } = chain();
  assert.is(add.id, 4);
  assert.is(relu.id, 10);
  assert.is(graph.addNode({ op: 'a', inputs: [], outputs: [] }).id, 11);
  assert.is(graph.addNode({ id: 20, op: 'a', inputs: [], outputs: [] }).id, 20);
  assert.is(graph.addNode({ op: 'a', inputs: [], outputs: [] }).id, 21);
});

test('names are made unique, unnamed outputs get a name', () => {
  const { graph, relu } = chain();
  assert.is(graph.addInput('x', TYPE).name, 'x#1');
  assert.is(graph.addConstant('x', f32([], [1])).name, 'x#2');
  assert.is(graph.output(relu).name, 'relu_10_0');
});

test('a node can be put in front of another', () => {
  const { graph, x, relu } = chain();
  const node = graph.addNode({ op: 'tanh', inputs: [x.id], outputs: [{ type: TYPE }] }, relu);
  assert.equal(
    graph.nodes.map((n) => n.op),
    ['add', 'tanh', 'relu'],
  );
  assert.throws(
    () => graph.addNode({ op: 'a', inputs: [], outputs: [] }, { ...node }),
    (e: unknown) => e instanceof QcError && e.kind === 'internal',
  );
});

test('operands and results: present, absent, out of range', () => {
  const { graph, x, w, add } = chain();
  assert.is(graph.input(add, 0), x);
  assert.is(graph.input(add, 1), w);
  assert.is(graph.optionalInput(add, 2), undefined);
  assert.is(graph.optionalInput(add, 7), undefined);
  assert.throws(() => graph.input(add, 2), /add \(4\) has no input 2/);
  assert.throws(() => graph.output(add, 1), /add \(4\) has no output 1/);
  assert.throws(() => graph.value(99), /no value %99/);
});

test('producers and consumers name every write and read', () => {
  const { graph, x, add, relu } = chain();
  const twice = graph.addNode({ op: 'mul', inputs: [x.id, x.id], outputs: [{ type: TYPE }] });
  assert.is(graph.producers().get(graph.output(add).id), add);
  assert.is(graph.producers().get(x.id), undefined);
  assert.equal(
    graph
      .consumers()
      .get(x.id)
      ?.map(({ node, slot }) => [node.id, slot]),
    [
      [add.id, 0],
      [twice.id, 0],
      [twice.id, 1],
    ],
  );
  assert.is(graph.isOutput(graph.output(relu).id), true);
  assert.is(graph.isOutput(x.id), false);
});

test('a constant must fill its shape', () => {
  const graph = new Graph('g');
  assert.throws(
    () => graph.addConstant('c', { type: { dtype: 'f32', shape: [3] }, data: new Float32Array(2) }),
    /does not fill its shape/,
  );
});

test.run();
