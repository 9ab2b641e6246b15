/** One quantized network in all forms: the modules are equal but for names and hashes. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compile } from '../../src/compile.js';
import { calibrate } from '../../tools/zoo/calibrate.js';
import { asDedicatedPairs, asTf2onnx, withClippedCodes, withConvBnLeftovers } from '../../tools/zoo/exporters.js';
import { asFakeQuantization, asOperators, withExternalData, withListedInitializers } from '../../tools/zoo/forms.js';
import { quantizedModel, STYLES, type Style } from '../../tools/zoo/quantize.js';
import { seededParameters } from '../../tools/zoo/weights.js';
import { networkOf } from '../../tools/zoo/zoo.js';
import { type ModelSpec, model } from '../support/onnx.js';
import { hasOrt, runOrt } from '../support/ort.js';
import { random, reals } from '../support/tensors.js';
import { programOf } from '../support/wasm-sections.js';

const SMALL = { size: 32, width: 0.25, classes: 10 };

/** A network of the zoo in QDQ form. */
async function qdq(name: string, style: Style): Promise<ModelSpec> {
  const net = networkOf(name, SMALL);
  const parameters = seededParameters(net);
  return quantizedModel(net, parameters, await calibrate(net, parameters), style);
}

/** The program of a model that must be int8 throughout. */
async function program(spec: ModelSpec, files: Readonly<Record<string, Uint8Array>> = {}): Promise<string[]> {
  const read = (name: string): Uint8Array => files[name] as Uint8Array;
  const { wasm, report } = await compile({ bytes: model(spec), read });
  const products = report.ops.filter((op) => ['conv2d', 'depthwise_conv2d', 'fc', 'mul'].includes(op.type));
  assert.ok(products.length > 0);
  for (const op of products) assert.ok(op.int8, `${op.type} (${op.id}): ${op.reason}`);
  return programOf(wasm);
}

for (const [name, styleName] of [
  ['mobilenet_v2', 'u8'],
  ['squeezenet1_1', 'u8'],
  ['mobilenet_v1', 's8-float-bias'],
] as const)
  test(`${name} ${styleName}: fake quantization, external data, listed initializers, operators`, async () => {
    const style = STYLES[styleName] as Style;
    const spec = await qdq(name, style);
    const expected = await program(spec);
    assert.equal(await program(asFakeQuantization(spec)), expected, 'fake quantization of real weights');
    const { spec: split, files } = withExternalData(spec);
    assert.ok((files['weights.bin'] as Uint8Array).length > 1e4);
    assert.equal(await program(split, files), expected, 'external data');
    assert.equal(await program(withListedInitializers(spec)), expected, 'initializers among the inputs');
    if (style.bias === 'i32' && style.activations === 'u8') {
      const operators = asOperators(spec);
      assert.ok((operators.nodes ?? []).filter((n) => n.op === 'QLinearConv').length > 5);
      assert.is((operators.nodes ?? []).filter((n) => n.op === 'Conv' || n.op === 'Gemm').length, 0);
      assert.equal(await program(operators), expected, 'operator form');
    }
  });

const ALL_CODES = { u8: [0, 255], i8: [-128, 127] };

for (const [name, styleName] of [
  ['mobilenet_v2', 'u8'],
  ['squeezenet1_1', 'u8-tensor'],
  ['efficientnet_lite0', 'u8-tensor'],
  ['resnet50', 's8'],
  ['mobilenet_v1', 's8-float-bias'],
] as const)
  test(`${name} ${styleName}: tf2onnx, dedicated pairs, clipped codes, ConvBn leftovers`, async () => {
    const spec = await qdq(name, STYLES[styleName] as Style);
    const expected = await program(spec);
    assert.equal(await program(asDedicatedPairs(spec)), expected, 'a pair for every reader');
    assert.equal(await program(withClippedCodes(spec, ALL_CODES)), expected, 'codes clipped to their own range');
    assert.equal(await program(asTf2onnx(spec)), expected, 'channels last, as tf2onnx writes it');
    const leftovers = withConvBnLeftovers(spec);
    assert.is(
      leftovers.nodes?.some((n) => n.op === 'Div'),
      styleName === 's8-float-bias',
    );
    assert.equal(await program(leftovers), expected, 'ConvBn leftovers');
  });

if (hasOrt('the forms of a network against each other in onnxruntime'))
  test('onnxruntime takes the forms for one network', async () => {
    const spec = await qdq('mobilenet_v2', STYLES.u8 as Style);
    const feeds = { input: reals(random(5), [1, 3, 32, 32]) };
    const [plain, fake] = [await runOrt(model(spec), feeds), await runOrt(model(asFakeQuantization(spec)), feeds)];
    assert.equal(Object.values(fake)[0]?.data, Object.values(plain)[0]?.data);
  });

test.run();
