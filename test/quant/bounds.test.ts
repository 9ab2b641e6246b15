/** The bounds that clamping activations put on codes, and which stored biases join the int32 sums. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { perAxis, perTensor } from '../../src/ir/type.js';
import { biasAddsToSums } from '../../src/quant/bias.js';
import { codeBounds } from '../../src/quant/bounds.js';
import { quantizeCode } from '../../src/quant/rounding.js';

test('without a clamp the bounds are those of the grid, centred', () => {
  assert.equal(codeBounds(perTensor('u8', 0.1, 100)), [-100, 155]);
  assert.equal(codeBounds({ ...perTensor('i8', 0.1, 3), min: -64, max: 63 }), [-67, 60]);
  assert.equal(codeBounds(perTensor('u8', 0.1, 100), { kind: 'sigmoid' }), [-100, 155]);
});

test('clamps narrow the bounds to the codes of their ends', () => {
  assert.equal(codeBounds(perTensor('u8', 0.1, 100), { kind: 'relu' }), [0, 155]);
  assert.equal(codeBounds(perTensor('u8', 0.05, 100), { kind: 'relu6' }), [0, 120]);
  assert.equal(
    codeBounds(perTensor('i8', 0.1, 0), { kind: 'clip', min: -1.26, max: 3.4028234663852886e38 }),
    [-13, 127],
  );
  assert.equal(codeBounds(perTensor('i8', 2, 0, 'even'), { kind: 'clip', min: -3, max: 5 }), [-2, 2]);
  assert.equal(codeBounds(perTensor('i8', 2, 0, 'away'), { kind: 'clip', min: -3, max: 5 }), [-2, 3]);
});

test('a clamp outside of the range leaves one code', () => {
  assert.equal(codeBounds(perTensor('u8', 0.01, 0), { kind: 'clip', min: 9, max: 10 }), [255, 255]);
  assert.equal(codeBounds(perTensor('u8', 0.01, 255), { kind: 'clip', min: 1, max: 2 }), [0, 0]);
});

test('clamping codes equals clamping reals', () => {
  for (const rounding of ['even', 'away'] as const) {
    const q = perTensor('u8', 0.043, 77, rounding);
    const [lo, hi] = codeBounds(q, { kind: 'clip', min: -0.731, max: 1.9 });
    for (let x = -4; x < 9; x += 0.0037) {
      const clampedReal = quantizeCode(Math.min(Math.max(x, Math.fround(-0.731)), Math.fround(1.9)), q);
      assert.is(Math.min(Math.max(quantizeCode(x, q) - 77, lo), hi) + 77, clampedReal);
    }
  }
});

test('a bias joins the sums if every channel has the scale of the sums', () => {
  const [x, w] = [perTensor('u8', 0.05, 3), perAxis('i8', 0, [0.01, 0.02])];
  const unit = [0, 1].map((c) => (x.scales[0] as number) * (w.scales[c] as number));
  assert.ok(biasAddsToSums(perAxis('i32', 0, unit), x, w, 2));
  assert.not(biasAddsToSums(perAxis('i32', 0, [unit[0] as number, (unit[1] as number) * 1.00001]), x, w, 2));
  assert.not(biasAddsToSums(perTensor('i32', unit[0] as number), x, w, 2));
  assert.not(biasAddsToSums(perAxis('i8', 0, unit), x, w, 2));
  assert.not(biasAddsToSums(undefined, x, w, 2));
});

test.run();
