import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Graph } from '../../src/ir/graph.js';
import { Patch } from '../../src/ir/patch.js';
import { inferShapes } from '../../src/passes/infer-shapes.js';
import { QcError } from '../../src/support/errors.js';
import { graphOf, passContext, textOf } from '../support/passes.js';

const run = (graph: Graph): void => inferShapes.run(graph, new Patch(graph, inferShapes.name), passContext());

function expectError(text: string, pattern: RegExp): void {
  try {
    run(graphOf(text));
  } catch (error) {
    assert.instance(error, QcError);
    assert.is((error as QcError).kind, 'model');
    assert.match((error as QcError).format(), pattern);
    return;
  }
  assert.unreachable();
}

test('static shapes that fit stay', () => {
  const graph = graphOf(
    'graph "g"\ninput %0 "x": f32[2,3]\n%1 "y": f32[3,2] = transpose2(%0) {"perm":[1,0]} id=0\noutput %1 "y"\n',
  );
  const before = textOf(graph);
  run(graph);
  assert.is(textOf(graph), before);
});

test('a shape that the inputs do not give is an error of the model, with the node', () => {
  expectError(
    'graph "g"\ninput %0 "x": f32[2,3]\n%1 "y": f32[2,3] = transpose2(%0) {"perm":[1,0]} id=7\noutput %1 "y"\n',
    /^transpose2 \(7\): shape \[2,3\] in the file, but its inputs give \[3,2\]/,
  );
});

test('an unknown op is an error of the model', () => {
  expectError(
    'graph "g"\ninput %0 "x": f32[2]\n%1 "y": f32[2] = nothing(%0) id=3\noutput %1 "y"\n',
    /no op named nothing/,
  );
});

test('operands that do not fit are an error of the model, with the node', () => {
  expectError(
    'graph "g"\ninput %0 "x": f32[2]\ninput %1 "z": f32[3]\n%2 "y": f32[2] = elementwise_add(%0, %1) {"activation":null} id=4\noutput %2 "y"\n',
    /^elementwise_add \(4\): /,
  );
});

test.run();
