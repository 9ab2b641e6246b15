/** Rows of operands that recovery learns from: with the filters, they give the sums of the layer. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { OPS } from '../../src/ops/index.js';
import { interpret, outputsOf } from '../../src/ops/interpret.js';
import { patchesOf } from '../../src/tasks/calibrate/patches.js';
import { random } from '../support/network.js';
import { randomFeeds } from '../support/op-check.js';
import { graphOf } from '../support/passes.js';

const numbers = (seed: number, count: number): string => {
  const next = random(seed);
  return Array.from({ length: count }, next).join(', ');
};

const LAYERS: Readonly<Record<string, string>> = {
  'a convolution with uneven pads, strides and dilations, of two images': `graph "g"
input %0 "x": f32[2,3,7,6]
const %1 "w": f32[4,3,2,3] = [${numbers(1, 72)}]
%2 "y": f32[2,4,4,3] = conv2d(%0, %1) {"strides":[2,1],"pads":[1,0,1,1],"dilations":[2,2],"groups":1,"activation":null} id=0
output %2 "y"
`,
  'a convolution in groups': `graph "g"
input %0 "x": f32[1,4,3,3]
const %1 "w": f32[6,2,2,2] = [${numbers(2, 48)}]
%2 "y": f32[1,6,2,2] = conv2d(%0, %1) {"strides":[1,1],"pads":[0,0,0,0],"dilations":[1,1],"groups":2,"activation":null} id=0
output %2 "y"
`,
  'a depthwise convolution with two filters per channel': `graph "g"
input %0 "x": f32[1,3,4,4]
const %1 "w": f32[6,1,3,3] = [${numbers(3, 54)}]
%2 "y": f32[1,6,4,4] = depthwise_conv2d(%0, %1) {"strides":[1,1],"pads":[1,1,1,1],"dilations":[1,1],"groups":3,"activation":null} id=0
output %2 "y"
`,
  'a product': `graph "g"
input %0 "x": f32[5,3]
const %1 "w": f32[3,4] = [${numbers(4, 12)}]
%2 "y": f32[5,4] = mul(%0, %1) {"transposeWeights":false,"activation":null} id=0
output %2 "y"
`,
  'a product with transposed weights, of three dimensions': `graph "g"
input %0 "x": f32[2,3,2]
const %1 "w": f32[4,2] = [${numbers(5, 8)}]
%2 "y": f32[2,3,4] = mul(%0, %1) {"transposeWeights":true,"activation":null} id=0
output %2 "y"
`,
};

for (const [what, text] of Object.entries(LAYERS))
  test(`rows times filters are the sums of ${what}`, () => {
    const graph = graphOf(text);
    const node = graph.nodes[0];
    const feeds = randomFeeds(graph, 7);
    const y = outputsOf(graph, interpret(graph, OPS, feeds)).y;
    const patches = patchesOf(graph, node);
    assert.ok(patches);
    const weights = graph.input(node, 1).data?.data as Float32Array;
    const filter = new Float64Array(patches.size);
    const sums: number[][] = Array.from({ length: patches.channels }, () => []);
    patches.visit(feeds.x.data as Float32Array, Number.MAX_SAFE_INTEGER, 0, (row, group) => {
      for (let c = 0; c < patches.channels; c++) {
        if (patches.groupOf(c) !== group) continue;
        patches.readFilter(weights, c, filter);
        sums[c].push(filter.reduce((sum, w, i) => sum + w * row[i], 0));
      }
    });
    // places run over images and their pixels, or over the rows of a product; channels stand in front of pixels there
    const { shape } = y.type;
    const image = shape.length === 4;
    const [pixels, places] = [image ? shape[2] * shape[3] : 1, y.data.length / patches.channels];
    for (const [c, list] of sums.entries()) {
      assert.is(list.length, places);
      for (const [place, sum] of list.entries()) {
        const at = image
          ? (Math.floor(place / pixels) * patches.channels + c) * pixels + (place % pixels)
          : place * patches.channels + c;
        assert.ok(Math.abs(sum - Number(y.data[at])) < 1e-4, `channel ${c}, place ${place}`);
      }
    }
  });

test('filters are written where they are read; fewer places are spread and move with the phase', () => {
  const graph = graphOf(LAYERS['a product']);
  const patches = patchesOf(graph, graph.nodes[0]);
  assert.ok(patches);
  const codes = new Int8Array(12);
  patches.writeFilter(codes, 2, Int8Array.of(5, -6, 7));
  const read = new Float64Array(3);
  patches.readFilter(codes, 2, read);
  assert.equal(read, Float64Array.of(5, -6, 7));
  assert.is(codes.filter((v) => v !== 0).length, 3);
  const data = Float32Array.from({ length: 60 }, (_, i) => Math.floor(i / 3));
  const seen = [0, 1].map((phase) => {
    const rows: number[] = [];
    patches.visit(data, 4, phase, (row) => rows.push(row[0]));
    return rows;
  });
  assert.equal(seen[0], [0, 5, 10, 15]);
  assert.equal(seen[1], [3, 8, 13, 18]);
});

test.run();
