import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Graph } from '../../src/ir/graph.js';
import { Patch } from '../../src/ir/patch.js';
import type { Tensor } from '../../src/ir/tensor.js';
import { verify } from '../../src/ir/verify.js';
import { OPS } from '../../src/ops/index.js';
import { interpret, outputsOf } from '../../src/ops/interpret.js';
import { equalizeLayers } from '../../src/passes/equalize-layers.js';
import { relativeError } from '../support/models.js';
import { random } from '../support/network.js';
import { randomFeeds } from '../support/op-check.js';
import { goldenTests, graphOf, passContext } from '../support/passes.js';

goldenTests('equalize-layers', [equalizeLayers], 'close');

/** The greatest |w| per channel of the result (axis 0) or of the operand (axis 1) of a node's weights. */
function ranges(graph: Graph, node: number, axis: 0 | 1): number[] {
  const { data, type } = graph.input(graph.nodes[node], 1).data as Tensor;
  const [channels, inner] = type.shape;
  const size = data.length / (channels * inner);
  const maxima = new Array<number>(type.shape[axis]).fill(0);
  (data as Float32Array).forEach((v, i) => {
    const c = axis === 0 ? Math.floor(i / (size * inner)) : Math.floor(i / size) % inner;
    maxima[c] = Math.max(maxima[c], Math.abs(v));
  });
  return maxima;
}

/** The greatest of |w| and |b| per channel of a node's result. */
const results = (graph: Graph, node: number): number[] => {
  const bias = graph.input(graph.nodes[node], 2).data?.data as Float32Array;
  return ranges(graph, node, 0).map((r, c) => Math.max(r, Math.abs(bias[c])));
};

/** Convolution, depthwise convolution, convolution, with channels of very different ranges. */
function chain(seed: number, activation: string): Graph {
  const next = random(seed);
  const numbers = (n: number, part: (i: number) => number = () => 1): string =>
    Array.from({ length: n }, (_, i) => next() * part(i)).join(', ');
  const uneven = Array.from({ length: 4 }, () => 10 ** (2 * next()));
  const [plain, depthwise] = ['"groups":1', '"groups":4'].map(
    (groups) => `{"strides":[1,1],"pads":[1,1,1,1],"dilations":[1,1],${groups},"activation":${activation}}`,
  );
  return graphOf(`graph "g"
input %0 "x": f32[1,2,4,4]
const %1 "w1": f32[4,2,3,3] = [${numbers(72, (i) => uneven[Math.floor(i / 18)])}]
const %2 "b1": f32[4] = [${numbers(4)}]
const %3 "w2": f32[4,1,3,3] = [${numbers(36, (i) => uneven[3 - Math.floor(i / 9)])}]
const %4 "b2": f32[4] = [${numbers(4)}]
const %5 "w3": f32[3,4,3,3] = [${numbers(108)}]
%6 "a": f32[1,4,4,4] = conv2d(%0, %1, %2) ${plain} id=0
%7 "b": f32[1,4,4,4] = depthwise_conv2d(%6, %3, %4) ${depthwise} id=1
%8 "y": f32[1,3,4,4] = conv2d(%7, %5) ${plain} id=2
output %8 "y"
`);
}

test('networks compute what they did, and both sides of every channel have equal ranges', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1e6 }),
      fc.constantFrom('null', '{"kind":"relu"}', '{"kind":"leaky_relu","alpha":0.1}'),
      (seed, activation) => {
        const [before, after] = [chain(seed, activation), chain(seed, activation)];
        equalizeLayers.run(after, new Patch(after, 'equalize-layers'), passContext());
        verify(after, OPS);
        const feeds = randomFeeds(before, seed);
        const [y, was] = [after, before].map((g) => outputsOf(g, interpret(g, OPS, feeds)).y.data as Float32Array);
        assert.ok(relativeError(y, was) < 1e-5, `${relativeError(y, was)}`);
        for (const [first, second] of [
          [results(after, 0), ranges(after, 1, 0)],
          [results(after, 1), ranges(after, 2, 1)],
        ])
          for (const [c, r] of first.entries()) assert.ok(Math.abs(r / second[c] - 1) < 2e-3, `${r} and ${second[c]}`);
      },
    ),
    { numRuns: 40 },
  );
});

test.run();
