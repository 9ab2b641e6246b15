import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { importOnnx } from '../../src/frontends/onnx/import.js';
import type { Graph } from '../../src/ir/graph.js';
import { print } from '../../src/ir/print.js';
import type { PassContext } from '../../src/passes/pass.js';
import { dumpName, PIPELINE, runPipeline } from '../../src/passes/pipeline.js';
import { QcError } from '../../src/support/errors.js';
import { graphOf, nodesOf, passContext, textOf } from '../support/passes.js';

const MODEL = new Uint8Array(readFileSync(new URL('../../examples/digits/digits.onnx', import.meta.url)));

interface Dumps {
  readonly graph: Graph;
  readonly dumps: readonly { readonly name: string; readonly text: string }[];
}

function run(options: Partial<PassContext> = {}): Dumps {
  const graph = importOnnx(MODEL);
  const dumps: { name: string; text: string }[] = [];
  runPipeline(graph, passContext(options), (e) => dumps.push({ name: dumpName(e), text: e.dot() }));
  return { graph, dumps };
}

/** `conv2d (3)` of every node in a dump. */
const labelsOf = (dot: string): string[] =>
  [...dot.matchAll(/^ {2}node_\d+ \[label="([^"\\]*)/gm)].map((m) => m[1] as string);

test('dumps are numbered from 1 and named after their pass, with underscores', () => {
  const names = run().dumps.map((d) => d.name);
  assert.is(names.length, PIPELINE.length);
  names.forEach((name, i) => {
    assert.is(name, `${String(i + 1).padStart(2, '0')}_${(PIPELINE[i]?.name ?? '').replaceAll('-', '_')}.dot`);
    assert.match(name, /^\d\d_[a-z0-9_]+\.dot$/);
  });
  assert.ok(names.some((n) => n.endsWith('_quantize_placement.dot')));
});

test('passes run in the order that their conditions need', () => {
  const order = (name: string): number => PIPELINE.findIndex((p) => p.name === name);
  const inOrder =
    'infer-shapes fold-constants canonicalize collect-scales strip-fake-quant fuse-bias fold-batch-norm canonicalize-norms fuse-conv-add';
  const places =
    `${inOrder} fuse-activation infer-scales propagate-scales quantize-placement insert-quantize squash-quantize analyze-ranges partition`
      .split(' ')
      .map(order);
  assert.equal(
    places,
    [...places].sort((a, b) => a - b),
  );
  for (const pass of PIPELINE) assert.ok(pass.doc.length > 10 && !pass.doc.includes('\n'), pass.name);
});

test('two runs give the same dumps and the same graph', () => {
  const [a, b] = [run(), run()];
  assert.equal(a.dumps, b.dumps);
  assert.is(print(a.graph), print(b.graph));
});

test('an id means the same op in every dump, and inserted ids never take one of the file', () => {
  const { dumps } = run();
  const sourceIds = new Set(importOnnx(MODEL).nodes.map((n) => n.id));
  const first = new Map<string, string>();
  const family = (label: string): string => label.replace('depthwise_conv2d', 'conv2d').replace(/ \+ .*/, '');
  for (const { name, text } of dumps)
    for (const label of labelsOf(text)) {
      const [, op, id] = /^(\w+) \((\d+)\)/.exec(family(label)) as unknown as [string, string, string];
      if (!sourceIds.has(Number(id))) continue;
      const known = first.get(id) ?? op;
      first.set(id, known);
      // A pair's quantize may become a fake_quantize and back; everything else keeps its op.
      if (!/quantize/.test(op)) assert.is(op, known, `${label} in ${name}`);
    }
  assert.ok(first.size > 40);
});

test('skipping a node changes nothing but its placement and borders', () => {
  const all = run();
  const skipped = run({ opIdsToSkip: [26] });
  const node = skipped.graph.nodes.find((n) => n.id === 26);
  assert.is(node?.placement?.int8, false);
  assert.is(node?.placement?.byUser, true);
  const others = (g: Graph): string[] =>
    g.nodes.filter((n) => !/quantize/.test(n.op)).map((n) => `${n.op} (${n.id}) ${n.id === 26 || n.placement?.int8}`);
  assert.equal(others(skipped.graph), others(all.graph));
});

test('a dump and the verifier see the graph after each pass; events carry times and changes', () => {
  const graph = graphOf(`graph "g"
input %0 "x": f32[4]
%1 "y": f32[4] = relu(%0) id=0
output %1 "y"
`);
  const events: string[] = [];
  runPipeline(graph, passContext(), (e) => {
    events.push(`${e.index} ${e.name} ${e.changes}`);
    assert.ok(e.milliseconds >= 0);
    assert.match(e.dot(), /relu \(0\)/);
  });
  assert.is(events[0], '1 infer-shapes 0');
  assert.is(events.length, PIPELINE.length);
});

test('a pass that breaks the graph is an internal error of the run', () => {
  const graph = graphOf('graph "g"\ninput %0 "x": f32[4]\n%1 "y": f32[4] = relu(%0) id=0\noutput %1 "y"\n');
  const breaks = {
    name: 'breaks',
    doc: 'takes the only node away',
    numbers: 'exact' as const,
    run: (g: Graph): void => {
      g.nodes = [];
    },
  };
  try {
    runPipeline(graph, passContext(), () => {}, [breaks]);
  } catch (error) {
    assert.instance(error, QcError);
    assert.is((error as QcError).kind, 'internal');
    assert.match((error as QcError).message, /broken invariant 7/);
    return;
  }
  assert.unreachable();
});

const TWO_LAYERS = `graph "g"
input %0 "x": f32[1,1,4,4]
const %1 "w": i8[1,1,1,1] @i8(0.0137) = [50]
%2 "q": u8[1,1,4,4] @u8(0.0193, zp=128) = quantize(%0) {"quant":@u8(0.0193, zp=128)} id=0
%3 "d": f32[1,1,4,4] = dequantize(%2) id=1
%4 "wd": f32[1,1,1,1] = dequantize(%1) id=2
%5 "c": f32[1,1,4,4] = conv2d(%3, %4) {$plain,"activation":null} id=3
%6 "a": f32[1,1,4,4] = elementwise_add(%5, %3) {"activation":null} id=4
%7 "r": f32[1,1,4,4] = clip(%6) {"min":0,"max":6} id=5
%8 "q2": u8[1,1,4,4] @u8(0.0211) = quantize(%7) {"quant":@u8(0.0211)} id=6
%9 "d2": f32[1,1,4,4] = dequantize(%8) id=7
%10 "m": f32[1,1,2,2] = pool2d(%9) {"poolType":"max",$window} id=8
output %10 "y"
`;

test('a residual block becomes one node on codes', () => {
  const graph = graphOf(TWO_LAYERS);
  runPipeline(graph, passContext());
  assert.equal(nodesOf(graph), ['quantize (9)', 'conv2d (3)', 'pool2d (8)', 'dequantize (15)']);
  assert.match(
    textOf(graph),
    /conv2d\(%\d+, %1, _, %\d+\) \{\$plain,"activation":\{"kind":"relu6"\}\} id=3 fused=elementwise_add\(4\),relu6\(5\)/,
  );
});

test('the ids of whole pairs lead to the node that is left', () => {
  for (const id of [4, 5, 6, 7])
    try {
      runPipeline(graphOf(TWO_LAYERS), passContext({ opIdsToSkip: [id] }));
      assert.unreachable(`id ${id}`);
    } catch (error) {
      if (!(error instanceof QcError)) throw error;
      assert.is(error.kind, 'usage');
      assert.match(error.format(), /\n {2}Skip 3 instead\.$/, `id ${id}`);
    }
});

test.run();
