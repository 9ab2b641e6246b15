/** FP32 without fusions: more kernel calls, the same numbers up to float32 rounding. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compile } from '../../src/compile.js';
import { outcome } from '../support/compiled.js';
import { Network } from '../support/network.js';

/** Two convolutions with bias, normalization, a residual sum and activations. */
function residual(): Uint8Array {
  const net = new Network(11);
  const x = net.input('x', [1, 4, 9, 9]);
  const norm = (v: string): string => {
    const variance = net.constant({ shape: [4], data: Array.from({ length: 4 }, () => 1.5 + net.next()) });
    return net.op('BatchNormalization', [v, net.values([4]), net.values([4]), net.values([4]), variance]);
  };
  const conv = (v: string): string => norm(net.op('Conv', [v, net.values([4, 4, 3, 3])], { pads: [1, 1, 1, 1] }));
  const sum = net.op('Add', [conv(net.op('Relu', [conv(x)])), x]);
  return net.bytes([net.op('Relu', [sum])]);
}

test('--no-fuse leaves every op a kernel call of its own, and the results within float32 rounding', async () => {
  const bytes = residual();
  const fused = await outcome(bytes, { precision: 'fp32' });
  const plain = await outcome(bytes, { precision: 'fp32', fuse: false });
  const calls = ({ report }: typeof fused): string[] => report.ops.flatMap((op) => (op.kernel ? [op.type] : []));
  assert.equal(calls(fused), ['conv2d', 'conv2d']);
  assert.equal(
    calls(plain).sort(),
    ['affine_channel', 'affine_channel', 'conv2d', 'conv2d', 'elementwise_add', 'relu', 'relu'].sort(),
  );
  assert.equal(
    fused.report.ops.map((op) => op.fused?.length),
    [2, 3],
  );
  assert.ok(plain.report.ops.every((op) => !op.fused?.length));
  const [a, b] = [Object.values(fused.module)[0], Object.values(plain.module)[0]] as [Float32Array, Float32Array];
  const scale = Math.max(...a.map(Math.abs));
  const apart = Math.max(...a.map((v, i) => Math.abs(v - (b[i] as number))));
  assert.ok(scale > 1 && apart / scale < 1e-6, `${apart} of ${scale}`);
  assert.ok(apart > 0, 'the roundings are not the same');
});

test('the steps of a profile build are as many', async () => {
  const steps = async (fuse: boolean): Promise<number> => {
    const { report } = await compile(residual(), { precision: 'fp32', fuse, profile: true });
    return report.entries[0]?.profile?.steps.filter((step) => step.ops.length > 0).length ?? 0;
  };
  assert.equal([await steps(true), await steps(false)], [2, 7]);
});

test('only fp32 can do without fusions', async () => {
  for (const precision of ['int8', 'fake-quantized'] as const)
    await compile(residual(), { precision, fuse: false }).then(
      () => assert.unreachable(precision),
      (error: Error) => assert.match(error.message, /needs fusions: only fp32 can do without/),
    );
});

test.run();
