/** Graphs written as ONNX: read back they compile to the same code and data. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compile, lower } from '../../src/compile.js';
import { canExport, exportOnnx } from '../../src/frontends/onnx/export/export.js';
import { decodeModel, encodeModel, toNumber } from '../../src/frontends/onnx/proto.js';
import { f32 } from '../../src/ir/tensor.js';
import { OPS } from '../../src/ops/index.js';
import { resolveOptions } from '../../src/options.js';
import type { Calibration } from '../../src/quant/calibration.js';
import { gridOver } from '../../src/quant/grids.js';
import { QcError } from '../../src/support/errors.js';
import { targetsOf } from '../../src/tasks/calibrate/calibrate.js';
import { quantizedModel } from '../../src/tasks/calibrate/quantized-model.js';
import { outcome } from '../support/compiled.js';
import { Network } from '../support/network.js';
import { hasOrt, runOrt } from '../support/ort.js';
import { programOf } from '../support/wasm-sections.js';

/** Ops that a calibrated graph cannot hold: constants, the roundings of quantized models. */
const NEVER = new Set(['quantize', 'dequantize', 'requantize', 'fake_quantize', 'fill_constant', 'range']);

/** Ops whose ONNX form numbers places otherwise: models with them compile directly. */
const DIRECT_ONLY = new Set(['max_pool2d_with_index']);

test('every op that a fused float network can hold is written', () => {
  const missing = [...OPS.keys()].filter((op) => !NEVER.has(op) && !DIRECT_ONLY.has(op) && !canExport(op));
  assert.equal(missing, []);
});

/** A network of many kinds of nodes; each entry adds to a value of shape [1, 6, 8, 8]. */
const STEPS: Readonly<Record<string, (net: Network, x: string) => string>> = {
  conv: (n, x) => n.op('Conv', [x, n.values([6, 6, 3, 3]), n.values([6])], { pads: [1, 1, 1, 1] }),
  'conv and clip': (n, x) =>
    n.op('Clip', [
      n.op('Conv', [x, n.values([6, 6, 1, 1])]),
      n.constant({ shape: [], data: [-0.5] }),
      n.constant({ shape: [], data: [2] }),
    ]),
  'depthwise and relu6': (n, x) =>
    n.op('Clip', [
      n.op('Conv', [x, n.values([6, 1, 3, 3]), n.values([6])], { pads: [1, 1, 1, 1], group: 6 }),
      n.constant({ shape: [], data: [0] }),
      n.constant({ shape: [], data: [6] }),
    ]),
  residual: (n, x) => n.op('Relu', [n.op('Add', [n.op('Conv', [x, n.values([6, 6, 1, 1]), n.values([6])]), x])]),
  'hard swish': (n, x) => n.op('HardSwish', [n.op('Conv', [x, n.values([6, 6, 1, 1])])]),
  swish: (n, x) => {
    const y = n.op('Conv', [x, n.values([6, 6, 1, 1])]);
    return n.op('Mul', [y, n.op('Sigmoid', [y])]);
  },
  leaky: (n, x) => n.op('LeakyRelu', [n.op('Conv', [x, n.values([6, 6, 1, 1])])], { alpha: 0.125 }),
  deconvolution: (n, x) => n.op('ConvTranspose', [x, n.values([6, 6, 3, 3]), n.values([6])], { pads: [1, 1, 1, 1] }),
  'batch norm alone': (n, x) =>
    n.op('BatchNormalization', [
      x,
      n.values([6]),
      n.values([6]),
      n.values([6]),
      n.constant({ shape: [6], data: [1, 2, 3, 4, 5, 6] }),
    ]),
  'max pool': (n, x) => n.op('MaxPool', [x], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] }),
  'average pool': (n, x) =>
    n.op('AveragePool', [x], { kernel_shape: [3, 3], pads: [1, 1, 1, 1], count_include_pad: 1 }),
  concat: (n, x) => n.op('Conv', [n.op('Concat', [x, n.op('Relu', [x])], { axis: 1 }), n.values([6, 12, 1, 1])]),
  'squeeze and excite': (n, x) => {
    const gate = n.op('Conv', [n.op('GlobalAveragePool', [x]), n.values([6, 6, 1, 1]), n.values([6])]);
    return n.op('Mul', [x, n.op('HardSigmoid', [gate], { alpha: 0.2 })]);
  },
  product: (n, x) => n.op('MatMul', [x, n.values([8, 8])]),
  'product and bias': (n, x) => n.op('Add', [n.op('MatMul', [x, n.values([8, 8])]), n.values([8])]),
  resize: (n, x) => {
    const up = n.op('Resize', [x, '', n.constant({ shape: [4], data: [1, 1, 2, 2] })], {
      mode: 'nearest',
      coordinate_transformation_mode: 'asymmetric',
      nearest_mode: 'floor',
    });
    return n.op('Conv', [up, n.values([6, 6, 2, 2])], { strides: [2, 2] });
  },
  'moving data': (n, x) => {
    const cut = n.op('Slice', [x, n.ints([7]), n.ints([-9]), n.ints([2]), n.ints([-1])]);
    const turned = n.op('Transpose', [n.op('Pad', [cut, n.ints([0, 0, 1, 1, 0, 0, -1, -1])])], { perm: [0, 1, 3, 2] });
    return n.op('Reshape', [n.op('Reshape', [turned, n.ints([1, 3, 2, 64])]), n.ints([1, 6, 8, 8])]);
  },
  functions: (n, x) =>
    n.op('Softsign', [n.op('Elu', [n.op('Sqrt', [n.op('Abs', [n.op('Sin', [x])])])], { alpha: 0.5 })]),
  gelu: (n, x) => {
    const root = n.constant({ shape: [], data: [Math.SQRT2] });
    const gate = n.op('Add', [n.op('Erf', [n.op('Div', [x, root])]), n.constant({ shape: [], data: [1] })]);
    return n.op('Mul', [n.op('Mul', [x, gate]), n.constant({ shape: [], data: [0.5] })]);
  },
  softmax: (n, x) => n.op('Softmax', [x], { axis: 1 }),
  mean: (n, x) => n.op('Sub', [x, n.op('ReduceMean', [x], { axes: [1], keepdims: 1 })]),
};

const sameProgram = (a: Uint8Array, b: Uint8Array): boolean => programOf(a).join() === programOf(b).join();

/** Each step between convolutions, so that values before and behind it get grids. */
function network(step: (net: Network, x: string) => string): Uint8Array {
  const net = new Network(9);
  const x = net.input('x', [1, 4, 8, 8]);
  const first = net.op('Conv', [x, net.values([6, 4, 3, 3]), net.values([6])], { pads: [1, 1, 1, 1] });
  const y = step(net, net.op('Relu', [first]));
  return net.bytes([net.op('Conv', [y, net.values([5, 6, 1, 1]), net.values([5])])]);
}

/** Grids for all values that take one, of different kinds. */
function calibrationOf(bytes: Uint8Array): Calibration {
  const bySource = new Map<string, number>();
  const values = targetsOf(bytes).map(({ name, source }): [string, ReturnType<typeof gridOver>] => {
    const i = bySource.get(source) ?? bySource.size;
    bySource.set(source, i);
    return [name, gridOver({ lo: -1.5 - i / 8, hi: 3 + i / 4 }, i % 3 === 2 ? 's8' : 'u8')];
  });
  return { values: new Map(values), equalized: false, perChannel: true, products: new Map() };
}

for (const [name, step] of Object.entries(STEPS))
  test(`${name}: read back, the quantized and the float form are the same module`, async () => {
    const bytes = network(step);
    const calibration = calibrationOf(bytes);
    const [direct, written] = [
      await compile(bytes, { calibration }),
      await compile(quantizedModel(bytes, calibration)),
    ];
    assert.ok(direct.report.ops.filter((op) => op.int8).length >= 2, 'int8 is missing');
    assert.ok(sameProgram(written.wasm, direct.wasm), 'quantized');
    const float = exportOnnx(lower(bytes, resolveOptions({}), 'fused').graph, { producerVersion: 'test' });
    assert.ok(sameProgram((await compile(float)).wasm, (await compile(bytes)).wasm), 'float');
  });

if (hasOrt('quantized models in onnxruntime'))
  for (const [name, step] of Object.entries(STEPS))
    test(`${name}: onnxruntime reads the quantized model, and agrees`, async () => {
      const bytes = network(step);
      const quantized = quantizedModel(bytes, calibrationOf(bytes));
      const { module, report } = await outcome(quantized, { taps: ['x'] });
      const input = f32([1, 4, 8, 8], module.x as Float32Array);
      const theirs = Object.values(await runOrt(quantized, { x: input }))[0]?.data as Float32Array;
      const ours = module[report.entries[0].outputs[0].name];
      // Ties that fall otherwise change a code; a wrong form changes everything.
      const most = theirs.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
      const error = Math.sqrt(theirs.reduce((sum, v, i) => sum + (v - ours[i]) ** 2, 0) / theirs.length);
      assert.ok(most > 0.1 && error < 0.01 * most, `error ${error} of ${most}`);
    });

test('names of inputs, values and outputs stay; biases are int32, weights int8', async () => {
  const bytes = network(STEPS.residual as never);
  const calibration = calibrationOf(bytes);
  const targets = targetsOf(bytes).map((t) => t.name);
  const { graph } = lower(quantizedModel(bytes, calibration), resolveOptions({}), 'fused');
  const named = new Map([...graph.values.values()].map((v) => [v.name, v]));
  for (const name of targets) assert.equal(named.get(name)?.type.quant, calibration.values.get(name));
  const convs = graph.nodes.filter((n) => n.op === 'conv2d');
  assert.is(convs.length, 3);
  for (const node of convs) {
    assert.is(graph.input(node, 1).type.dtype, 'i8');
    assert.is(graph.input(node, 2).type.dtype, 'i32');
  }
});

test('what the file says about itself stays', async () => {
  const source = decodeModel(network(STEPS.conv as never));
  const metadata = [
    { key: 'author', value: 'somebody' },
    { key: 'labels', value: '["a","b"]' },
  ];
  const about = { docString: 'a network', domain: 'org.example', modelVersion: 7, metadataProps: metadata };
  const opsetImport = [...source.opsetImport, { domain: 'org.example.ops', version: 3 }];
  const [input] = source.graph.input;
  const graph = { ...source.graph, name: 'the graph', docString: 'of the graph' };
  const described = { ...graph, input: [{ ...input, docString: 'a picture' }] };
  const bytes = encodeModel({ ...source, ...about, opsetImport, graph: described });
  const quantized = quantizedModel(bytes, calibrationOf(bytes));
  const written = decodeModel(quantized);
  assert.equal([written.docString, written.domain, toNumber(written.modelVersion)], ['a network', 'org.example', 7]);
  assert.equal(
    written.metadataProps.map(({ key, value }) => ({ key, value })),
    metadata,
  );
  assert.equal([written.graph.name, written.graph.docString], ['the graph', 'of the graph']);
  assert.is(written.graph.input[0].docString, 'a picture');
  const sets = written.opsetImport.map(({ domain, version }) => `${domain} ${toNumber(version)}`);
  assert.equal([sets[0], sets.includes('org.example.ops 3')], [' 20', true]);
  if (hasOrt('a file with operator sets that nothing uses'))
    assert.ok(Object.keys(await runOrt(quantized, { x: f32([1, 4, 8, 8], new Float32Array(256)) })).length > 0);
});

test('ops without an ONNX form are listed', async () => {
  const { graph } = lower(network(STEPS.conv as never), resolveOptions({}), 'fused');
  (graph.nodes[0] as { op: string }).op = 'mystery';
  assert.throws(
    () => exportOnnx(graph, { producerVersion: 'test' }),
    (e: Error) =>
      e instanceof QcError && e.kind === 'model' && /1 op cannot be written as ONNX: mystery \(0\)/.test(e.message),
  );
});

test.run();
