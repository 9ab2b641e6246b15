/** Resize and Upsample: references and modules against onnxruntime. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { AttrSpec } from '../support/onnx.js';
import { opsOf } from '../support/op-check.js';
import { checkEverywhere } from '../support/op-everywhere.js';
import { hasOrt } from '../support/ort.js';

const X = [1, 3, 4, 5];
const floats = (...data: number[]) => ({ shape: [data.length], data });
const sizes = (...data: number[]) => ({ shape: [data.length], dtype: 'i64' as const, data });
const resize = (attrs: Record<string, AttrSpec>, scales: number[] | null, to: number[] | null, opset = 13, x = X) =>
  checkEverywhere({
    op: 'Resize',
    opset,
    attrs,
    inputs: [x, null, scales && floats(...scales), ...(to ? [sizes(...to)] : [])],
  });

if (hasOrt('resizing against onnxruntime')) {
  for (const mode of ['nearest', 'linear', 'cubic'])
    test(`${mode}: all coordinates, up and down`, async () => {
      const coordinates = ['half_pixel', 'pytorch_half_pixel', 'align_corners', 'asymmetric'];
      for (const coordinate_transformation_mode of coordinates) {
        const attrs = { mode, coordinate_transformation_mode };
        await resize(attrs, [1, 1, 2, 2], null);
        await resize(attrs, [1, 1, 0.6, 0.8], null);
        await resize(attrs, null, [1, 3, 7, 3]);
        await resize(attrs, [1, 1, 3, 0.5], null, 18);
      }
    });

  test('nearest modes with coordinate transformations', async () => {
    for (const nearest_mode of ['round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil'])
      for (const coordinate_transformation_mode of ['half_pixel', 'asymmetric', 'align_corners'])
        for (const to of [
          [1, 3, 8, 10],
          [1, 3, 2, 3],
          [1, 3, 6, 15],
        ])
          await resize({ nearest_mode, coordinate_transformation_mode }, null, to);
    await checkEverywhere({
      op: 'Resize',
      opset: 11,
      attrs: { coordinate_transformation_mode: 'tf_half_pixel_for_nn' },
      inputs: [X, floats(), floats(), sizes(1, 3, 8, 10)],
    });
  });

  test('cubic coefficients, weights outside', async () => {
    for (const exclude_outside of [0, 1])
      for (const cubic_coeff_a of [-0.75, -0.5])
        await resize({ mode: 'cubic', cubic_coeff_a, exclude_outside }, [1, 1, 1.7, 0.8], null);
  });

  test('tf_crop_and_resize, with positions outside of the image', async () => {
    for (const mode of ['nearest', 'linear', 'cubic'])
      for (const value of [0, 10.5])
        await checkEverywhere({
          op: 'Resize',
          attrs: { mode, coordinate_transformation_mode: 'tf_crop_and_resize', extrapolation_value: { float: value } },
          inputs: [X, floats(0, 0, 0.4, -0.3, 1, 1, 1.3, 0.7), null, sizes(1, 3, 5, 6)],
        });
  });

  test('axes and aspect ratios (opset 18)', async () => {
    const attrs = { axes: [3, 2], mode: 'linear' };
    await resize(attrs, [2, 0.5], null, 18);
    await resize(attrs, null, [7, 3], 18);
    for (const keep_aspect_ratio_policy of ['not_larger', 'not_smaller'])
      await resize({ axes: [2, 3], keep_aspect_ratio_policy }, null, [7, 8], 18);
  });

  test('other ranks, channels, nothing to do', async () => {
    await resize({ mode: 'linear' }, [1, 1, 2], null, 13, [2, 3, 5]);
    await resize({ mode: 'linear' }, [2, 1.5], null, 13, [4, 5]);
    await resize({}, [1, 2, 2, 1], null, 13, [2, 3, 4, 5]);
    await resize({}, [1, 1, 1, 1], null);
  });

  test('opset 10 and Upsample', async () => {
    for (const mode of ['nearest', 'linear']) {
      await checkEverywhere({ op: 'Resize', opset: 10, attrs: { mode }, inputs: [X, floats(1, 1, 2, 3)] });
      await checkEverywhere({ op: 'Upsample', opset: 9, attrs: { mode }, inputs: [X, floats(1, 1, 2, 3)] });
      await checkEverywhere({
        op: 'Upsample',
        opset: 7,
        attrs: { mode, scales: { floats: [1, 1, 2, 3] } },
        inputs: [X],
      });
    }
  });
}

test('nearest moves elements, everything else computes', async () => {
  const inputs = [X, null, floats(1, 1, 2, 2)];
  const options = { withoutOrt: true };
  assert.equal(opsOf(await checkEverywhere({ op: 'Resize', inputs }, options)), ['nearest_interp']);
  assert.equal(opsOf(await checkEverywhere({ op: 'Resize', attrs: { mode: 'linear' }, inputs }, options)), [
    'linear_interp',
  ]);
});

test.run();
