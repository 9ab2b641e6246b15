/** The demo's model through the pipeline: what comes out as text, and that it still reads digits. */
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { loadTestDigits } from '../../examples/digits/mnist.js';
import { importOnnx } from '../../src/frontends/onnx/import.js';
import type { Graph } from '../../src/ir/graph.js';
import { print } from '../../src/ir/print.js';
import { f32 } from '../../src/ir/tensor.js';
import type { PassContext } from '../../src/passes/pass.js';
import { runPipeline } from '../../src/passes/pipeline.js';
import { outputsFor, passContext } from '../support/passes.js';

const MODEL = new Uint8Array(readFileSync(new URL('../../examples/digits/digits.onnx', import.meta.url)));
const GOLDEN = new URL('golden/digits.txt', import.meta.url);
const IMAGES = 20;

function compiled(options: Partial<PassContext> = {}): Graph {
  const graph = importOnnx(MODEL);
  runPipeline(graph, passContext(options));
  return graph;
}

test('the graph after the pipeline: eleven nodes on codes behind one quantize', () => {
  const graph = compiled();
  const text = print(graph, 'short');
  if (process.env.BLESS) writeFileSync(GOLDEN, text);
  assert.fixture(text, readFileSync(GOLDEN, 'utf8'));
  assert.equal(
    graph.nodes.map((n) => n.op),
    [
      ...['quantize', 'conv2d', 'depthwise_conv2d', 'conv2d', 'conv2d', 'conv2d', 'depthwise_conv2d', 'conv2d'],
      ...['pool2d', 'pool2d', 'reshape2', 'fc'],
    ],
  );
  assert.ok(graph.nodes.every((n) => n.op === 'quantize' || (n.placement?.int8 && n.region === 1)));
});

const digits = loadTestDigits();

const logitsOf = (graph: Graph, i: number): Float32Array => {
  const image = f32(
    [1, 1, 28, 28],
    Float32Array.from(digits.pixels(i), (p) => p / 255),
  );
  return outputsFor(graph, { image }).logits?.data as Float32Array;
};

const argmax = (list: Float32Array): number => list.indexOf(Math.max(...list));

const reference = importOnnx(MODEL);
const expected = Array.from({ length: IMAGES }, (_, i) => logitsOf(reference, i));

interface Statistics {
  readonly agreement: number;
  /** Root of the mean square difference, relative to that of the logits. */
  readonly relative: number;
  readonly greatest: number;
}

function compare(graph: Graph): Statistics {
  let [agreement, error, total, greatest] = [0, 0, 0, 0];
  expected.forEach((wanted, i) => {
    const logits = logitsOf(graph, i);
    if (argmax(logits) === argmax(wanted)) agreement++;
    logits.forEach((v, k) => {
      const d = Math.abs(v - (wanted[k] as number));
      error += d * d;
      total += (wanted[k] as number) ** 2;
      greatest = Math.max(greatest, d);
    });
  });
  const result = { agreement, relative: Math.sqrt(error / total), greatest };
  if (process.env.QC_VERBOSE) console.log(result);
  return result;
}

test('the imported model reads most of the digits', () => {
  assert.ok(expected.filter((logits, i) => argmax(logits) === digits.label(i)).length >= IMAGES - 1);
});

test('on codes it gives the answers of the fake-quantized model', () => {
  const { agreement, relative, greatest } = compare(compiled());
  assert.is(agreement, IMAGES);
  // Integer sums instead of float sums: a few codes move by one at ties, which the logits hardly show.
  assert.ok(relative < 0.005, `relative error ${relative}`);
  assert.ok(greatest < 0.5, `greatest difference ${greatest}`);
});

test('as fake-quantized float it is the same model', () => {
  const { agreement, relative } = compare(compiled({ precision: 'fake-quantized' }));
  assert.is(agreement, IMAGES);
  assert.ok(relative < 0.005, `relative error ${relative}`);
});

test('as float the roundings are gone, and the answers stay', () => {
  const { agreement, relative } = compare(compiled({ precision: 'fp32' }));
  assert.ok(agreement >= IMAGES - 1);
  assert.ok(relative > 0 && relative < 0.1, `relative error ${relative}`);
});

test('any convolution may be skipped', () => {
  const ids = reference.nodes.filter((n) => n.op === 'conv2d').map((n) => n.id);
  assert.is(ids.length, 7);
  for (const id of ids) {
    const graph = compiled({ opIdsToSkip: [id] });
    assert.is(graph.nodes.find((n) => n.id === id)?.placement?.reason, `skipped by id ${id}`);
    assert.is(argmax(logitsOf(graph, 0)), argmax(expected[0] as Float32Array));
  }
});

test.run();
