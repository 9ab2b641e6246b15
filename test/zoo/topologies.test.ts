/** The model zoo, small: every topology compiles in every style and computes what the interpreter computes. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { TOPOLOGIES } from '../../tools/zoo/topologies/index.js';
import { generate, networkOf, type StyleName } from '../../tools/zoo/zoo.js';
import { identical, outcome, relativeError } from '../support/compiled.js';

const SMALL = { size: 32, width: 0.25, classes: 10 };
const STYLES: readonly StyleName[] = ['fp32', 'u8', 's8'];
/** The other styles are tried on one network with residual sums and one with concatenations. */
const ALL_STYLES: readonly StyleName[] = [...STYLES, 'u8-tensor', 's8-float-bias'];
const PRODUCTS = new Set(['conv2d', 'depthwise_conv2d', 'fc', 'mul', 'matmul']);

async function files(name: string, styles: readonly StyleName[]): Promise<Map<StyleName, Uint8Array>> {
  const all = new Map<StyleName, Uint8Array>();
  for await (const { style, bytes } of generate(name, SMALL, styles)) all.set(style, bytes);
  return all;
}

const styleNames = (name: string): readonly StyleName[] =>
  ['mobilenet_v2', 'squeezenet1_1'].includes(name) ? ALL_STYLES : STYLES;

for (const name of Object.keys(TOPOLOGIES))
  test(`${name} in all styles`, async () => {
    const models = await files(name, styleNames(name));
    for (const [style, bytes] of models) {
      const result = await outcome(bytes, { verify: style === 'fp32' || style === 'u8' });
      const [output] = Object.values(result.reference);
      assert.ok(new Set(output).size > 3, `${style}: the outputs hardly differ from each other`);
      const products = result.report.ops.filter((op) => PRODUCTS.has(op.type));
      assert.is(products.length, networkOf(name).layers.filter((layer) => 'weights' in layer).length);
      const isFloat = style === 'fp32';
      if (isFloat) assert.ok(relativeError(result) < 1e-5, `relative error ${relativeError(result)}`);
      else assert.ok(identical(result), `${style}: module and interpreter differ`);
      const others = products.filter((op) => op.int8 === isFloat).map((op) => `${op.name}: ${op.reason}`);
      assert.equal(others, [], `${style}: ops in the wrong arithmetic`);
    }
  });

test('two generations give equal bytes', async () => {
  const [first, second] = [await files('mobilenet_v2', ALL_STYLES), await files('mobilenet_v2', ALL_STYLES)];
  for (const [style, bytes] of first) assert.ok(Buffer.compare(bytes, second.get(style) as Uint8Array) === 0, style);
});

/** Multiplications and parameters as published (with the classifier, without batch normalization). */
const PUBLISHED: Readonly<Record<string, readonly [number, number]>> = {
  mobilenet_v1: [569, 4.21],
  mobilenet_v2: [301, 3.47],
  resnet50: [4089, 25.5],
  squeezenet1_1: [349, 1.24],
  efficientnet_lite0: [385, 4.63],
};

test('the full networks have the published sizes', () => {
  for (const [name, [multiplications, parameters]] of Object.entries(PUBLISHED)) {
    const net = networkOf(name);
    const weights = net.layers.map((l) => ('weights' in l ? l.weights.reduce((a, b) => a * b, 1) + l.weights[0] : 0));
    const total = weights.reduce((a, b) => a + b, 0) / 1e6;
    assert.ok(Math.abs(net.macs / 1e6 / multiplications - 1) < 0.03, `${name}: ${net.macs} multiplications`);
    assert.ok(Math.abs(total / parameters - 1) < 0.03, `${name}: ${total} million parameters`);
  }
});

test.run();
