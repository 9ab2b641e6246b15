import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { jpegOrientation } from '../../src/data/image/exif.js';
import { crop, orient, type Pixels } from '../../src/data/image/pixels.js';
import { imageTensor, resolvePreprocessing } from '../../src/data/image/preprocess.js';
import { INTERPOLATIONS, resize } from '../../src/data/image/resize.js';
import { numbers } from '../../src/ir/tensor.js';
import { checksum } from '../support/models.js';
import { random } from '../support/tensors.js';

function noise(width: number, height: number, seed = 1): Pixels {
  const next = random(seed);
  return { width, height, data: Uint8Array.from({ length: width * height * 3 }, () => Math.floor(next() * 256)) };
}

/** A picture whose red channel numbers its pixels. */
const numbered = (width: number, height: number): Pixels => ({
  width,
  height,
  data: Uint8Array.from({ length: width * height * 3 }, (_, i) => (i % 3 === 0 ? i / 3 : 0)),
});
const reds = ({ data }: Pixels): number[] => [...data].filter((_, i) => i % 3 === 0);

const input = (shape: number[], dtype: 'f32' | 'u8' | 'i8' = 'f32') => ({ name: 'x', dtype, shape });

test('orientation turns a picture upright', () => {
  const turned: Record<number, number[]> = {
    1: [0, 1, 2, 3, 4, 5],
    2: [2, 1, 0, 5, 4, 3],
    3: [5, 4, 3, 2, 1, 0],
    4: [3, 4, 5, 0, 1, 2],
    5: [0, 3, 1, 4, 2, 5],
    6: [3, 0, 4, 1, 5, 2],
    7: [5, 2, 4, 1, 3, 0],
    8: [2, 5, 1, 4, 0, 3],
  };
  for (const [value, expected] of Object.entries(turned)) {
    const upright = orient(numbered(3, 2), Number(value));
    assert.equal(reds(upright), expected, `orientation ${value}`);
    assert.equal([upright.width, upright.height], Number(value) >= 5 ? [2, 3] : [3, 2]);
  }
});

test('the orientation of a JPEG is read in both byte orders, and 1 where there is none', () => {
  const jpeg = (little: boolean, value: number): Uint8Array => {
    const out = new Uint8Array(2 + 4 + 6 + 8 + 2 + 12);
    const view = new DataView(out.buffer);
    view.setUint16(0, 0xffd8);
    view.setUint16(2, 0xffe1);
    view.setUint16(4, out.length - 4);
    out.set([0x45, 0x78, 0x69, 0x66], 6);
    view.setUint16(12, little ? 0x4949 : 0x4d4d);
    view.setUint16(14, 42, little);
    view.setUint32(16, 8, little);
    view.setUint16(20, 1, little);
    view.setUint16(22, 0x0112, little);
    view.setUint16(24, 3, little);
    view.setUint32(26, 1, little);
    view.setUint16(30, value, little);
    return out;
  };
  assert.is(jpegOrientation(jpeg(true, 6)), 6);
  assert.is(jpegOrientation(jpeg(false, 8)), 8);
  for (let cut = 0; cut < 34; cut++) assert.is(jpegOrientation(jpeg(true, 6).subarray(0, cut)), 1);
});

test('resizing keeps a constant picture, and the picture where the size is the same', () => {
  const flat: Pixels = { width: 7, height: 5, data: new Uint8Array(7 * 5 * 3).fill(77) };
  for (const how of INTERPOLATIONS) {
    const resized = resize(flat, 16, 3, how);
    assert.is(resized.data.length, 16 * 3 * 3);
    assert.ok(
      resized.data.every((v) => v === 77),
      how,
    );
    assert.is(resize(flat, 7, 5, how), flat);
  }
});

test('filters average over what a pixel covers, bilinear looks at the nearest pixels', () => {
  // Columns 0 255 0 255 ...: the average is 127.5, the two middle pixels of each four average likewise.
  const stripes: Pixels = {
    width: 16,
    height: 1,
    data: Uint8Array.from({ length: 48 }, (_, i) => (Math.floor(i / 3) % 2 ? 255 : 0)),
  };
  for (const v of resize(stripes, 4, 1, 'triangle').data) assert.ok(Math.abs(v - 127.5) < 12);
  assert.equal([...resize(stripes, 4, 1, 'bilinear').data].slice(0, 3), [128, 128, 128]);
  assert.equal(reds(resize(stripes, 4, 1, 'nearest')), [0, 0, 0, 0]);
  assert.equal(reds(resize(numbered(2, 1), 4, 1, 'bilinear')), [0, 0, 1, 1]);
});

test("the filters give Pillow's bytes", () => {
  // CRC-32 of Image.resize((width, height), BILINEAR, BICUBIC, LANCZOS) of Pillow 9.4 on the same noise.
  const pillow = [
    { from: [90, 70], to: [31, 44], crc: ['f79d4b3e', 'f37fd843', '0058b221'] },
    { from: [37, 41], to: [80, 30], crc: ['b7ec7aca', 'be6d532b', '4419625b'] },
  ] as const;
  for (const { from, to, crc } of pillow)
    for (const [i, how] of (['triangle', 'bicubic', 'lanczos'] as const).entries())
      assert.is(checksum(resize(noise(from[0], from[1], from[0]), to[0], to[1], how).data), crc[i], how);
});

test('crop cuts a rectangle', () => {
  assert.equal(reds(crop(numbered(4, 3), 1, 1, 2, 2)), [5, 6, 9, 10]);
});

test('the elements of a tensor: layout, order, mean and std', () => {
  const pixels = noise(2, 3);
  const [r, g, b] = pixels.data as unknown as [number, number, number];
  const nchw = imageTensor(pixels, resolvePreprocessing(input([1, 3, 3, 2])));
  assert.equal(nchw.type.shape, [1, 3, 3, 2]);
  const imagenet = (p: number, mean: number, std: number): number =>
    Math.fround(Math.fround(Math.fround(p / 255) - mean) / std);
  assert.is(nchw.data[0], imagenet(r, 0.485, 0.229));
  assert.is(nchw.data[6], imagenet(g, 0.456, 0.224));
  assert.is(nchw.data[12], imagenet(b, 0.406, 0.225));
  const nhwc = imageTensor(
    pixels,
    resolvePreprocessing(input([3, 2, 3]), { layout: 'nhwc', order: 'bgr', range: 255, mean: [128], std: [128] }),
  );
  assert.equal(nhwc.type.shape, [3, 2, 3]);
  assert.equal(
    [...nhwc.data.slice(0, 3)],
    [b, g, r].map((p) => (p - 128) / 128),
  );
  const codes = imageTensor(pixels, resolvePreprocessing(input([1, 3, 2, 3], 'i8'), { layout: 'nhwc' }));
  assert.equal([...codes.data.slice(0, 3)], [r - 128, g - 128, b - 128]);
  const gray = imageTensor(pixels, resolvePreprocessing(input([1, 1, 3, 2], 'u8')));
  assert.is(gray.data[0], Math.round(0.299 * r + 0.587 * g + 0.114 * b));
});

test('fits: the centre, the whole, padding', () => {
  const wide = numbered(8, 4);
  const fitted = (shape: number[], options: object): number[] => {
    const how = resolvePreprocessing(input(shape, 'u8'), { interpolation: 'nearest', ...options });
    return numbers(imageTensor(wide, how));
  };
  assert.equal(fitted([1, 3, 4, 4], {}).slice(0, 4), [2, 3, 4, 5]);
  assert.equal(fitted([1, 3, 4, 4], { fit: 'stretch' }).slice(0, 4), [1, 3, 5, 7]);
  assert.equal(fitted([1, 3, 4, 4], { fit: 'contain' }).slice(0, 12), [9, 11, 13, 15, 25, 27, 29, 31, 0, 0, 0, 0]);
  assert.equal(fitted([1, 3, 4, 10], { fit: 'line' }).slice(0, 10), [0, 1, 2, 3, 4, 5, 6, 7, 0, 0]);
  assert.equal(fitted([1, 3, 4, 4], { fit: 'line' }).slice(0, 4), [1, 3, 5, 7]);
});

test('options that do not fit are usage errors, inputs that take no pictures model errors', () => {
  const cases: [ReturnType<typeof input>, object, RegExp][] = [
    [input([1, 3, 4, 4]), { mean: [128], std: [128] }, /units of 0\.\.255/],
    [input([1, 3, 4, 4]), { mean: [0, 0] }, /2 values for 3 channels/],
    [input([1, 3, 4, 4]), { std: [0] }, /std must be positive/],
    [input([1, 3, 4, 4]), { resize: 3 }, /does not fit into a short side of 3/],
    [input([1, 3, 4, 4]), { crop: { height: 5, width: 5 } }, /do not fit input "x"/],
    [input([1, 3, 4, 4]), { order: 'gray' }, /order gray does not fit/],
    [input([1, 3, 4, 4], 'u8'), { mean: [0.5] }, /go with float inputs/],
    [input([1, 5, 4, 4]), {}, /takes no pictures/],
    [input([1, 10]), {}, /takes no pictures/],
  ];
  for (const [to, options, message] of cases)
    assert.throws(
      () => resolvePreprocessing(to, options),
      (e: Error) => message.test(e.message),
      String(message),
    );
});

test.run();
