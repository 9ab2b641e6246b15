/** --verify: good passes go through, broken ones are named with rule, node and the smallest value that fails. */
import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { lower } from '../../src/compile.js';
import { importOnnx } from '../../src/frontends/onnx/import.js';
import type { Graph, Node } from '../../src/ir/graph.js';
import { f32 } from '../../src/ir/tensor.js';
import { OPS } from '../../src/ops/index.js';
import { resolveOptions } from '../../src/options.js';
import { fuseActivation } from '../../src/passes/fuse-activation.js';
import { fuseBias } from '../../src/passes/fuse-bias.js';
import type { Pass, PassContext } from '../../src/passes/pass.js';
import { PIPELINE, runPipeline } from '../../src/passes/pipeline.js';
import { stripFakeQuant } from '../../src/passes/strip-fake-quant.js';
import { QcError } from '../../src/support/errors.js';
import { DIGITS, FLOAT_MODELS, hasModels, INT8_MODELS, modelBytes } from '../support/models.js';
import { graphOf, passContext } from '../support/passes.js';

const digits = readFileSync(DIGITS);

/** Runs the pipeline with validation, one pass replaced. */
function validated(graph: Graph, replaced?: Pass, by?: Pass, options: Partial<PassContext> = {}): void {
  const passes = PIPELINE.map((pass) => (pass === replaced && by ? by : pass));
  runPipeline(graph, passContext({ validate: true, ...options }), () => {}, passes);
}

/** The message of the error that a run ends with. */
function failure(run: () => void): string {
  try {
    run();
  } catch (error) {
    if (!(error instanceof QcError)) throw error;
    assert.is(error.kind, 'internal');
    return error.format();
  }
  throw new Error('it did not fail');
}

/** A pass that does what another does and then something wrong. */
const broken = (pass: Pass, wrong: (graph: Graph, ...rest: Parameters<Pass['run']>) => void): Pass => ({
  ...pass,
  run(graph, patch, context) {
    pass.run(graph, patch, context);
    wrong(graph, graph, patch, context);
  },
});

const firstOf = (graph: Graph, op: string): Node => {
  const node = graph.nodes.find((n) => n.op === op);
  assert.ok(node, op);
  return node as Node;
};

test('the pipeline keeps the numbers of the digit model, whatever is skipped', () => {
  const conv = lower(digits, resolveOptions({})).graph.nodes.find((n) => n.op === 'conv2d');
  for (const options of [
    {},
    { opIdsToSkip: [conv?.id ?? 0] },
    { opsToQuantize: ['fc'] },
    { precision: 'fp32' as const },
    { precision: 'fake-quantized' as const },
  ])
    lower(digits, resolveOptions({ ...options, verify: true }));
});

test('a pass that drops a bias is named, with the rule and the node', () => {
  const wrong = broken(fuseBias, (graph) => {
    const host = graph.nodes.find((n) => n.fused.some((f) => f.op === 'elementwise_add')) as Node;
    host.inputs[2] = graph.addConstant('zero', f32([2], [0, 0])).id;
  });
  const graph = graphOf(`graph "g"
input %0 "x": f32[1,1,4,4]
const %1 "w": f32[2,1,1,1] = [0.5, 2]
const %2 "b": f32[1,2,1,1] = [1, 3]
%3 "c": f32[1,2,4,4] = conv2d(%0, %1) {$plain,"activation":null} id=7 origin="Conv:first"
%4 "s": f32[1,2,4,4] = elementwise_add(%3, %2) {"activation":null} id=8
%5 "y": f32[1,2,4,4] = tanh(%4) id=9
output %5 "y"
`);
  const message = failure(() => validated(graph, fuseBias, wrong));
  assert.match(message, /pass \d+ fuse-bias changes the numbers of conv2d \(7\) "first"/);
  assert.match(message, /rule fuse-bias/);
  assert.match(message, /value "s" \[1,2,4,4\], on .*: element 0 was [\d.e-]+ and is [\d.e-]+; 32 of 32 differ/);
});

test('of several broken nodes the one with the smallest value is named', () => {
  const wrong = broken(fuseActivation, (graph) => {
    for (const node of graph.nodes)
      if (node.attrs.activation) node.attrs = { ...node.attrs, activation: { kind: 'relu6' } };
  });
  const graph = graphOf(`graph "g"
input %0 "x": f32[1,1,4,4]
const %1 "w": f32[1,1,1,1] = [5]
%3 "c": f32[1,1,4,4] = conv2d(%0, %1) {$plain,"activation":null} id=0
%4 "r": f32[1,1,4,4] = relu(%3) id=1
%5 "p": f32[1,1,2,2] = pool2d(%4) {"poolType":"max",$window} id=2
%6 "d": f32[1,1,2,2] = conv2d(%5, %1) {$plain,"activation":null} id=3
%7 "t": f32[1,1,2,2] = relu(%6) id=4
output %7 "y"
`);
  const message = failure(() => validated(graph, fuseActivation, wrong));
  assert.match(message, /fuse-activation changes the numbers of conv2d \(3\)/);
  assert.match(message, /the smallest of 2 values that differ/);
});

test('a structural pass may not change a bit: a weight that is one code off is found', () => {
  const wrong = broken(stripFakeQuant, (graph) => {
    const conv = firstOf(graph, 'conv2d');
    const w = graph.input(conv, 1);
    assert.ok(w.data);
    const data = Int8Array.from(w.data.data as Int8Array);
    data[0] += data[0] === 127 ? -1 : 1;
    conv.inputs[1] = graph.addConstant('off', { type: w.type, data }).id;
  });
  const message = failure(() => validated(importOnnx(digits), stripFakeQuant, wrong));
  assert.match(message, /pass \d+ strip-fake-quant changes the numbers of conv2d \(\d+\).*exactly the same/);
});

test('an output that is another value now is compared by its name', () => {
  const wrong: Pass = {
    name: 'redirects',
    doc: 'gives the input in place of the result',
    numbers: 'exact',
    run(graph) {
      (graph.outputs[0] as { value: number }).value = graph.nodes[0]?.outputs[0] as number;
    },
  };
  const graph = graphOf(`graph "g"
input %0 "x": f32[4]
%1 "a": f32[4] = tanh(%0) id=0
%2 "y": f32[4] = sigmoid(%1) id=1
output %2 "y"
`);
  const message = failure(() => runPipeline(graph, passContext({ validate: true }), () => {}, [wrong]));
  assert.match(message, /pass 1 redirects changes the numbers of tanh \(0\)/);
});

/** The graph of a model on a smaller image: every shape is inferred anew. */
function reduced(bytes: Uint8Array, size: number): Graph | null {
  const graph = importOnnx(bytes);
  for (const id of graph.inputs) {
    const value = graph.value(id);
    const [n, c, h, w] = value.type.shape;
    if (h === undefined || w === undefined || h <= size) return null;
    value.type = { ...value.type, shape: [n, c, size, Math.max(1, Math.round((w * size) / h))] as number[] };
  }
  try {
    for (const node of graph.nodes) {
      const inputs = node.inputs.map((id) => (id === null ? null : graph.value(id)));
      if (node.op === 'pool2d') {
        const plane = (inputs[0]?.type.shape ?? []).slice(2);
        const ksize = (node.attrs.ksize as number[]).map((k, i) => Math.min(k, plane[i] ?? k));
        node.attrs = { ...node.attrs, ksize };
      }
      OPS.get(node.op)
        ?.infer(node.attrs, inputs)
        .forEach((type, i) => {
          const value = graph.output(node, i);
          value.type = { ...value.type, shape: type.shape };
        });
    }
  } catch {
    return null; // a window or a shape that is written into the model does not fit the smaller image
  }
  return graph;
}

test('the pipeline keeps the numbers of real models, on small images', () => {
  if (!hasModels('validation of real models')) return;
  let smaller = 0;
  for (const name of [...INT8_MODELS, ...FLOAT_MODELS]) {
    const bytes = modelBytes(name);
    const graph = reduced(bytes, 32);
    if (graph) smaller++;
    if (graph) validated(graph);
    else if (/kws|resnet8/.test(name)) validated(importOnnx(bytes));
    else assert.unreachable(`${name} does not take a smaller image`);
  }
  assert.ok(smaller >= 3, `${smaller} models took a smaller image`);
});

test.run();
