/** Errors per layer: a layer with a bad scale is found, and leaving it in float restores the outputs. */
import { readFileSync } from 'node:fs';
import onnxProto from 'onnx-proto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { loadTestDigits } from '../../examples/digits/mnist.js';
import type { Sample } from '../../src/data/sample.js';
import { f32 } from '../../src/ir/tensor.js';
import { errorOverlays, sparkline } from '../../src/report/error-overlays.js';
import { compareModel } from '../../src/tasks/compare/compare.js';
import { BINS, DistanceSum } from '../../src/tasks/compare/statistics.js';
import { DIGITS } from '../support/models.js';

const { onnx } = onnxProto;

/** The digit model with the scale of one activation multiplied; gives the id of the op that reads it too. */
function badlyScaled(factor: number, at: number): { readonly bytes: Uint8Array; readonly reader: number } {
  const model = onnx.ModelProto.decode(readFileSync(DIGITS));
  const node = model.graph?.node ?? [];
  const initializer = model.graph?.initializer ?? [];
  const constants = new Set(initializer.map((i) => i.name));
  const quantizes = node.filter((n) => n.opType === 'QuantizeLinear' && !constants.has(n.input?.[0] ?? ''));
  const quantize = quantizes[at];
  const dequantize = node.find((n) => n.input?.[0] === quantize.output?.[0]);
  const scale = initializer.find((i) => i.name === quantize.input?.[1]);
  const raw = scale?.rawData?.length
    ? new Float32Array(Uint8Array.from(scale.rawData).buffer)[0]
    : scale?.floatData?.[0];
  const bad = onnx.TensorProto.create({ name: 'bad', dataType: 1, dims: [], floatData: [Number(raw) * factor] });
  initializer.push(bad);
  for (const n of [quantize, dequantize]) if (n?.input) n.input[1] = 'bad';
  const reader = node.findIndex((n) => n.input?.[0] === dequantize?.output?.[0]);
  return { bytes: onnx.ModelProto.encode(model).finish(), reader };
}

function samples(count: number): Sample[] {
  const digits = loadTestDigits();
  return Array.from({ length: count }, (_, index) => {
    const tensor = f32(
      [1, 1, 28, 28],
      Float32Array.from(digits.pixels(index), (v) => v / 255),
    );
    return { index, name: `digit ${index}`, tensors: [{ name: null, tensor }] };
  });
}

test('a layer that reads a badly scaled value is the worst, and leaving it in float restores the outputs', async () => {
  const { bytes, reader } = badlyScaled(20, 2);
  const steps: string[] = [];
  const comparison = await compareModel(bytes, samples(3), {
    compile: { name: 'bad' },
    sensitivity: 4,
    onStep: (_, __, what) => steps.push(what),
  });
  const [worst, second] = comparison.sensitivity;
  assert.is(worst.id, reader);
  assert.ok(worst.gain > 6 && worst.gain > second.gain + 3, `${worst.gain} and ${second.gain} dB`);
  assert.ok(comparison.suggestion?.ids.includes(reader));
  assert.ok((comparison.suggestion?.sqnr ?? 0) > comparison.sqnr + 6);
  assert.ok(comparison.firstBad !== null);
  assert.ok(steps.some((s) => s.startsWith('layer ')));

  const skipped = await compareModel(bytes, samples(3), { compile: { opIdsToSkip: [worst.id] }, sensitivity: 0 });
  const good = await compareModel(readFileSync(DIGITS), samples(3), { compile: {}, sensitivity: 0 });
  assert.ok(skipped.sqnr > good.sqnr - 3, `${skipped.sqnr} dB where the good model has ${good.sqnr}`);
  assert.is(good.firstBad, null);

  const overlays = errorOverlays(comparison);
  assert.is(overlays.length, 4);
  assert.ok(worst.id in overlays[0].values && worst.id in overlays[3].values);
});

test('int8 is what fake quantization says, tensor by tensor, up to ties', async () => {
  const { tensors, outputs } = await compareModel(readFileSync(DIGITS), samples(2), { compile: {}, sensitivity: 0 });
  assert.ok(tensors.length > 8);
  assert.equal(outputs, ['logits']);
  for (const { name, int8, exact } of tensors) {
    assert.ok(exact.sqnr > 40, `${name}: ${exact.sqnr} dB between int8 and fake-quantized`);
    assert.ok(int8.cosine > 0.99 && int8.histogram.length === BINS, name);
  }
});

test('distances: SQNR, cosine, clipped share and histogram', () => {
  const sum = new DistanceSum({ low: 0, high: 1, scale: 0.1 });
  sum.add([0, 1, 2, -1], [0, 1, 1, 0]);
  const { sqnr, cosine, maxError, meanError, clipped, histogram } = sum.result();
  assert.is(sqnr, 10 * Math.log10(6 / 2));
  assert.ok(Math.abs(cosine - 3 / Math.sqrt(12)) < 1e-12);
  assert.equal([maxError, meanError, clipped], [1, 0, 0.5]);
  assert.is(
    histogram.reduce((a, b) => a + b, 0),
    1,
  );
  assert.equal([histogram[0], histogram[BINS / 2], histogram[BINS - 1]], [0.25, 0.5, 0.25]);
  const equal = new DistanceSum(undefined);
  equal.add([1, 2], [1, 2]);
  assert.equal([equal.result().sqnr, equal.result().cosine], [Number.POSITIVE_INFINITY, 1]);
  assert.is(sparkline([0, 1, 0]).length, 3);
});

test('no samples, and nothing in int8, are usage errors', async () => {
  for (const [list, options] of [
    [[], {}],
    [samples(1), { opsToQuantize: ['matmul'] }],
  ] as const)
    try {
      await compareModel(readFileSync(DIGITS), list, { compile: options });
      assert.unreachable();
    } catch (error) {
      assert.is((error as { kind?: string }).kind, 'usage');
    }
});

test.run();
