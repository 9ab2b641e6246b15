/** Pictures of graphs: nothing overlaps, nothing gets lost, names stay texts. */
import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { lower } from '../../src/compile.js';
import { Graph } from '../../src/ir/graph.js';
import { snapshotOf } from '../../src/ir/snapshot.js';
import { resolveOptions } from '../../src/options.js';
import { pictureOf, regionsOf } from '../../src/report/client/explorer/scene-view.js';
import { explorerData } from '../../src/report/explorer-data.js';
import { prepareLayouts } from '../../src/report/layout.js';
import { sceneOf } from '../../src/report/scene.js';
import { drawSvg } from '../../src/report/svg.js';
import type { Stage } from '../../src/stages.js';

const DIGITS = new URL('../../examples/digits/digits.onnx', import.meta.url).pathname;

const stagesOf = (path: string): readonly Stage[] =>
  lower(readFileSync(path), resolveOptions({ debug: true, name: 'digits' })).stages;

const stages = stagesOf(DIGITS);
const layouts = await prepareLayouts();

/** Throws where two boxes of a layout overlap or one is outside. */
function expectApart(stage: Stage): void {
  const { boxes, w, h } = layouts.of(sceneOf(stage.snapshot));
  const list = Array.from({ length: boxes.length / 4 }, (_, i) => boxes.slice(4 * i, 4 * i + 4));
  for (const [i, a] of list.entries()) {
    assert.ok(a[0] >= 0 && a[1] >= 0 && a[0] + a[2] <= w && a[1] + a[3] <= h, `${stage.name}: box ${i} is outside`);
    for (const b of list.slice(i + 1))
      assert.ok(
        a[0] + a[2] <= b[0] || b[0] + b[2] <= a[0] || a[1] + a[3] <= b[1] || b[1] + b[3] <= a[1],
        `${stage.name}: boxes overlap at ${a} and ${b}`,
      );
  }
}

test('boxes do not overlap, at any stage', () => {
  assert.ok(stages.length > 15);
  for (const stage of stages) expectApart(stage);
});

test('links start and end at their boxes', () => {
  for (const stage of stages) {
    const { boxes, links } = layouts.of(sceneOf(stage.snapshot));
    const near = (x: number, y: number, i: number): boolean =>
      x >= boxes[4 * i] - 1 &&
      x <= boxes[4 * i] + boxes[4 * i + 2] + 1 &&
      y >= boxes[4 * i + 1] - 1 &&
      y <= boxes[4 * i + 1] + boxes[4 * i + 3] + 1;
    for (const [from, to, points] of links) {
      assert.ok(near(points[0], points[1], from), `${stage.name}: link from ${from}`);
      assert.ok(near(points.at(-2) as number, points.at(-1) as number, to), `${stage.name}: link to ${to}`);
    }
  }
});

test('a scene has a box for every node, input and output, and a link for every read of a computed value', () => {
  for (const { snapshot } of stages) {
    const { boxes, links } = sceneOf(snapshot);
    assert.is(boxes.length, snapshot.nodes.length + snapshot.inputs.length + snapshot.outputs.length);
    const reads = snapshot.nodes.flatMap((n) =>
      [...new Set(n.inputs)].filter((id) => id !== null && snapshot.values.get(id)?.constant === undefined),
    );
    assert.is(links.length, reads.length + snapshot.outputs.length);
  }
});

test('pictures are well-formed SVG whatever a model is called', () => {
  const graph = new Graph('a "b" <svg onload=x> & \u0000 ]]>');
  const type = { dtype: 'f32', shape: [1, 2] } as const;
  const x = graph.addInput('<script>alert(1)</script>\u0007', type);
  const name = '"&amp;</text></svg>\ud800';
  const node = graph.addNode({ op: 'relu<', inputs: [x.id], outputs: [{ name, type }], origin: { name, type: 'R&' } });
  graph.addOutput(node.outputs[0], name);
  const svg = drawSvg(snapshotOf(graph), graph.name, layouts);
  assert.not.match(svg, /<script|<\/svg>[^\n]/);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these must not occur
  assert.not.match(svg, /[\u0000-\u0008]/);
  assert.is(svg.match(/<svg/g)?.length, 1);
  assert.match(svg, /relu&lt; <tspan class="id">\(0\)<\/tspan>|relu&lt;/);
});

test('collapsing a region leaves one box in its place and no gap; nothing else gets lost', () => {
  const data = explorerData(stages, layouts);
  const last = data.stages.length - 1;
  const open = pictureOf(data, last, new Set());
  const regions = regionsOf(open);
  const [region, members] = [...regions][0];
  const closed = pictureOf(data, last, new Set([region]));
  assert.is(closed.boxes.size, open.boxes.size - members.length + 1);
  assert.ok(closed.boxes.has(`g${region}`) && closed.h < open.h);
  for (const { from, to } of closed.links) assert.ok(closed.boxes.has(from) && closed.boxes.has(to));
  for (const key of open.boxes.keys())
    assert.is(closed.boxes.has(key), !members.some(({ box }) => box.key === key), key);
});

test('what the explorer says of a change is what the passes did', () => {
  const data = explorerData(stages, layouts);
  const fuse = data.stages.find((s) => s.name === 'fuse-activation');
  const fused = Object.entries(fuse?.status ?? {}).filter(([, status]) => status === 'fused');
  assert.ok(fused.length > 0);
  assert.is(fuse?.removed.length, fused.length);
  const insert = data.stages.find((s) => s.name === 'insert-quantize');
  assert.ok(Object.values(insert?.status ?? {}).filter((s) => s === 'added').length >= 2);
  const first = data.stages[0];
  assert.equal([first.status, first.removed], [{}, []]);
});

test('a network without boxes between input and output', () => {
  const graph = new Graph('empty');
  const x = graph.addInput('x', { dtype: 'f32', shape: [1] });
  graph.addOutput(x.id, 'y');
  assert.match(drawSvg(snapshotOf(graph), 'empty', layouts), /<svg/);
});

test.run();
