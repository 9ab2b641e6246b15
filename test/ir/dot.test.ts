import { spawnSync } from 'node:child_process';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { toDot as dotOf } from '../../src/ir/dot.js';
import { Graph, type Node } from '../../src/ir/graph.js';
import { parse } from '../../src/ir/parse.js';
import { nodeTitle, snapshotOf, typeLabel } from '../../src/ir/snapshot.js';
import { perAxis, perTensor } from '../../src/ir/type.js';
import { skipUnless } from '../support/skip.js';

const QUANTIZED = `graph "net"
input %0 "x": f32[1,3,4,4]
const %1 "w": i8[2,3,1,1] @i8(axis=0, [0.1, 0.2]) = [1, 2, 3, -4, 5, 6]
%2 "xq": u8[1,3,4,4] @u8(0.0235, zp=128) = quantize(%0) {"quant":@u8(0.0235, zp=128)} id=20
%3 "y": u8[1,2,4,4] @u8(0.5) = conv2d(%2, %1) {"strides":[1,1]} id=3 origin="Conv:conv1" fused=relu(4),elementwise_add(7) int8
%4 "z": f32[1,2,4,4] = tanh(%3) id=5 float="skipped" byUser=true
output %4 "out"
`;

const toDot = (graph: Graph, title?: string): string => dotOf(snapshotOf(graph), title);

const hasDot = spawnSync('dot', ['-V']).status === 0;

/** Runs Graphviz; the canonical text, or a failure with its complaint. */
function canonical(dot: string): string {
  const run = spawnSync('dot', ['-Tcanon'], { input: dot, encoding: 'utf8' });
  assert.is(run.status, 0, run.stderr);
  assert.is(run.stderr, '');
  return run.stdout;
}

/** A graph whose names try to break out of their quotes. */
function hostile(): Graph {
  const graph = new Graph('a "b" \\ -> {c}');
  const type = { dtype: 'f32', shape: [1, -1] } as const;
  const x = graph.addInput('x"; node_0 [label="\\', type);
  const name = `line\nbreak\0\u001b \\N \\G <b> ${'long '.repeat(40)} \ud800`;
  const node = graph.addNode({
    op: 'relu\\',
    attrs: { text: '"]; evil [' },
    inputs: [x.id, null],
    outputs: [{ name, type }],
    origin: { name, type: 'Relu"' },
  });
  node.placement = { int8: false, reason: 'because "it" \\' };
  graph.addOutput(node.outputs[0] as number, '\\');
  return graph;
}

test('titles name every source id', () => {
  const node = parse(QUANTIZED).nodes[1];
  assert.is(node && nodeTitle(node), 'conv2d (3) + relu (4) + elementwise_add (7)');
});

test('types: plain, codes, reals on a grid, per axis, unknown sizes', () => {
  assert.is(typeLabel({ dtype: 'f32', shape: [1, 2] }), 'f32[1,2]');
  assert.is(typeLabel({ dtype: 'f32', shape: [-1, 2] }), 'f32[?,2]');
  assert.is(typeLabel({ dtype: 'u8', shape: [], quant: perTensor('u8', 0.1, 3) }), 'u8[] scale=0.1 zp=3');
  assert.is(typeLabel({ dtype: 'f32', shape: [1], quant: perTensor('u8', 0.1) }), 'f32[1] on u8 scale=0.1 zp=0');
  assert.is(
    typeLabel({ dtype: 'i8', shape: [2], quant: perAxis('i8', 0, [0.3, 0.1], [1, 2]) }),
    'i8[2] scale[axis 0]=0.1..0.3 zp=...',
  );
});

test('nodes say what they are, edges carry types, colours tell int8, float and boundary apart', () => {
  const dot = toDot(parse(QUANTIZED), '07 quantize-placement');
  assert.match(dot, /label="07 quantize-placement"/);
  assert.match(
    dot,
    /node_3 \[label="conv2d \(3\) \+ relu \(4\) \+ elementwise_add \(7\)\\nconv1\\nw: i8\[2,3,1,1\] scale/,
  );
  assert.match(dot, /node_20 -> node_3 \[label="u8\[1,3,4,4\] scale=0\.0235 zp=128"/);
  assert.match(dot, /node_5 .*tooltip="float; skipped; asked for by the user"/);
  const color = (id: string): string => dot.match(new RegExp(`${id} \\[.*fillcolor="(#\\w+)"`))?.[1] ?? id;
  assert.is(color('node_3'), color('legend_int8'));
  assert.is(color('node_5'), color('legend_float'));
  assert.is(color('node_20'), color('legend_boundary'));
  assert.is(new Set([color('node_3'), color('node_5'), color('node_20'), color('legend_open')]).size, 4);
});

test('edges tell the proven codes, their tooltips why', () => {
  const graph = parse(QUANTIZED);
  const quantize = graph.nodes.find((n) => n.id === 20) as Node;
  graph.output(quantize).range = { lo: 0, hi: 127, proof: 'relu' };
  assert.match(toDot(graph), /node_20 -> node_3 \[label="u8.* zp=128 in 0..127", tooltip="%\d+ .*: relu"/);
});

test('before placement, codes make a node int8 and the rest is open', () => {
  const dot = toDot(parse(QUANTIZED.replace(' int8\n', '\n').replace(' float="skipped" byUser=true', '')));
  assert.match(dot, /node_3 .*tooltip="int8; from Conv"/);
  const plain = parse('graph "g"\ninput %0 "x": f32[1]\n%1 "y": f32[1] = relu(%0) id=0\noutput %1 "y"\n');
  assert.match(toDot(plain), /node_0 .*tooltip="not placed yet"/);
});

test('two dumps of a graph are equal', () => {
  assert.is(toDot(parse(QUANTIZED)), toDot(parse(QUANTIZED)));
});

test('names cannot break out of their quotes or lines', () => {
  const dot = toDot(hostile());
  assert.is(dot.match(/^ {2}node_\d+ \[/gm)?.length, 1);
  assert.not.match(dot, /^evil/m);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not occur
  assert.not.match(dot, /[\u0000-\u0009\u000b-\u001f]/);
});

test('an output that is an input or a constant', () => {
  const dot = toDot(
    parse('graph "g"\ninput %0 "x": f32[1]\nconst %1 "c": f32[1] = [2]\noutput %0 "x"\noutput %1 "c"\n'),
  );
  assert.match(dot, /input_0 -> output_0/);
  assert.match(dot, /output_1 \[label="c\\nf32\[1\]"/);
});

if (skipUnless(hasDot, 'dumps are valid for Graphviz', 'no `dot` on the path'))
  test('dumps are valid for Graphviz', () => {
    assert.match(canonical(toDot(parse(QUANTIZED))), /node_20 -> node_3/);
    assert.match(canonical(toDot(hostile())), /input_0 -> node_0/);
    canonical(toDot(parse('graph ""\n')));
  });

test.run();
