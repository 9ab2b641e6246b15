/** Pixels in: the module's own preprocessing against decoding, reference preprocessing and run. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseImageInput } from '../../src/cli/embedding-flags.js';
import { resizeImage } from '../../src/codegen/kernels/image-input.js';
import { type CompileResult, compile } from '../../src/compile.js';
import { byteTables, resolvePreprocessing } from '../../src/data/image/preprocess.js';
import type { ImageInputOptions } from '../../src/image-input.js';
import type { CompileOptions } from '../../src/options.js';
import type { Net, TypedArray } from '../../src/runtime/loader.js';
import {
  argmax,
  DIGITS,
  decodeImage,
  hasImages,
  imageList,
  imageTensor,
  loadCompiled,
  modelBytes,
} from '../support/models.js';
import { type Grid, Network, random } from '../support/network.js';

interface Picture {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
}

interface ImageNet extends Omit<Net, 'run'> {
  run(inputs: Readonly<Record<string, unknown>>): Record<string, TypedArray>;
  classify(given: unknown, options?: { topK?: number }): { index: number; score: number; label?: string }[];
}

const U8: Grid = { dtype: 'u8', scale: 0.02, zeroPoint: 117 };
const open = async (result: CompileResult): Promise<ImageNet> => (await loadCompiled(result)) as unknown as ImageNet;
const imageNet = async (model: Uint8Array, options: CompileOptions): Promise<ImageNet> =>
  open(await compile(model, options));

function picture(width: number, height: number, seed = 1): Picture {
  const next = random(seed);
  return { width, height, data: Uint8Array.from({ length: 4 * width * height }, () => Math.floor(128 * (next() + 1))) };
}

/** The tensor that the reference makes of a picture: the same resize in plain code, then the tables of `qc eval`. */
function reference(net: Net, { data, width, height }: Picture, options: ImageInputOptions): Float32Array {
  const [input] = net.inputs;
  const how = resolvePreprocessing(input as never, { ...(options as object), fit: 'stretch' });
  const tables = byteTables(how);
  const rgb = resizeImage(data, width, height, [how.size.width, how.size.height]);
  const plane = how.size.width * how.size.height;
  const out = new Float32Array(how.channels * plane);
  for (let i = 0; i < plane; i++) {
    const [r, g, b] = [rgb[3 * i]!, rgb[3 * i + 1]!, rgb[3 * i + 2]!];
    const values = how.channels === 1 ? [(19595 * r + 38470 * g + 7471 * b + 32768) >> 16] : [r, g, b];
    if (how.order === 'bgr') values.reverse();
    for (const [c, v] of values.entries())
      out[how.layout === 'nchw' ? c * plane + i : i * how.channels + c] = tables[c]![v]!;
  }
  return out;
}

/** A convolution on a picture; the input is quantized at once, or also read as reals. */
function network(quantized: boolean, channels = 3): Uint8Array {
  const net = new Network(5);
  const x = net.input('x', [1, channels, 9, 12]);
  const from = quantized ? net.fake(x, U8) : net.op('Neg', [x]);
  const conv = net.op('Conv', [from, net.weights([6, channels, 3, 3], { axis: 0 }), net.values([6])], {
    pads: [1, 1, 1, 1],
  });
  return net.bytes(quantized ? [net.fake(conv, U8)] : [conv, net.fake(x, U8)]);
}

const CASES: readonly { name: string; quantized: boolean; channels?: number; options: ImageInputOptions }[] = [
  { name: 'codes written at once', quantized: true, options: {} },
  { name: 'the tensor written', quantized: false, options: { mean: [10, 20, 30], std: [50], range: 255 } },
  { name: 'bgr', quantized: true, options: { order: 'bgr', mean: [0.1], std: [0.5, 0.25, 1] } },
  { name: 'luminance', quantized: true, channels: 1, options: { mean: [0.5], std: [0.25] } },
];
for (const { name, quantized, channels, options } of CASES)
  test(`pixels give what the reference's tensor gives: ${name}`, async () => {
    const model = network(quantized, channels);
    const plain = await loadCompiled(await compile(model));
    const result = await compile(model, { imageInput: { name: 'x', largest: [40, 30], ...options } });
    assert.is(
      result.report.ops.some((op) => op.kernel?.includes('i16-image')),
      quantized,
      'the quantize is part of the table',
    );
    const net = await open(result);
    for (const [w, h] of [
      [12, 9],
      [40, 30],
      [1, 1],
      [5, 33],
      [30, 40],
    ] as const) {
      const given = picture(w, h, w);
      assert.equal(net.run({ x: given }), plain.run({ x: reference(plain, given, options) }), `${w} x ${h}`);
    }
  });

test('channels last, in integers, too', async () => {
  const net = new Network(2);
  const x = net.constant({ shape: [1], data: [0] });
  const input = net.input('image', [1, 4, 5, 3]);
  const model = net.bytes([net.op('Add', [input, x])]);
  const plain = await loadCompiled(await compile(model));
  const own = await imageNet(model, { imageInput: { largest: [9, 9] } });
  const given = picture(9, 7);
  assert.equal(own.run({ image: given }), plain.run({ image: reference(plain, given, {}) }));
});

test('a list of pictures is a batch; sizes may differ', async () => {
  const net = await imageNet(network(true), { imageInput: { largest: [40, 30] } });
  const pictures = [picture(12, 9, 1), picture(3, 30, 2), picture(40, 2, 3)];
  const [output] = net.outputs;
  const single = pictures.map((given) => [...(net.run({ x: given })[output!.name] as Float32Array)]);
  assert.equal([...(net.run({ x: pictures })[output!.name] as Float32Array)], single.flat());
});

test('pictures that do not fit are errors that say why', async () => {
  const net = await imageNet(network(true), { imageInput: { largest: [40, 30] }, name: 'net' });
  const bad = (given: unknown, message: RegExp): void => assert.throws(() => net.run({ x: given }), message);
  bad(undefined, /net: image "x" takes ImageData or \{ data, width, height \} with RGBA bytes/);
  bad(new Uint8Array(8), /takes ImageData/);
  bad({ ...picture(4, 4), width: 0 }, /takes ImageData/);
  bad({ ...picture(4, 4), data: new Uint8Array(48) }, /of 4 x 4 has 48 bytes instead of 64: 4 for each pixel/);
  bad(picture(41, 30), /of 41 x 30 has more than the 1200 pixels/);
  bad([], /at least one/);
  assert.throws(() => net.run({ y: picture(4, 4) }), /image "x" takes ImageData/);
  assert.throws(() => net.run({ x: picture(4, 4), y: new Float32Array(1) }), /there is no input "y"/);
  const exact = await imageNet(network(true), { imageInput: { resize: 'none' }, name: 'net' });
  exact.run({ x: picture(12, 9) });
  assert.throws(() => exact.run({ x: picture(13, 9) }), /image "x" must be 12 x 9, not 13 x 9/);
  net.free();
  assert.throws(() => net.run({ x: picture(4, 4) }), /the net was freed/);
});

test('options that do not fit are usage errors', async () => {
  const fails = async (options: CompileOptions, message: RegExp, model = network(true)): Promise<void> => {
    let error: Error | undefined;
    await compile(model, options).catch((e: Error) => {
      error = e;
    });
    assert.match(String(error?.message), message);
  };
  await fails({ imageInput: { name: 'z' } }, /there is no input "z" for images; the inputs are "x"/);
  await fails({ imageInput: { largest: [0, 5] } }, /largest picture must be of 1x1 to/);
  await fails({ imageInput: { std: [0] } }, /std must be positive/);
  await fails({ imageInput: { mean: [127] } }, /look like units of 0..255/);
  await fails({ labels: ['a'] }, /1 labels for output .* of 648 elements/);
  const flat = new Network(1);
  await fails({ imageInput: {} }, /takes no pictures/, flat.bytes([flat.op('Relu', [flat.input('x', [1, 8])])]));
});

test('--image-input', () => {
  assert.equal(parseImageInput('image'), { name: 'image' });
  assert.equal(parseImageInput('a,b,mean=0.485,0.456,0.406,std=1,order=bgr,resize=none,largest=640x480'), {
    name: 'a,b',
    mean: [0.485, 0.456, 0.406],
    std: [1],
    order: 'bgr',
    resize: 'none',
    largest: [640, 480],
  });
  assert.equal(parseImageInput('range=255,mean=1'), { range: 255, mean: [1] });
  const bad: [string, RegExp][] = [
    ['x,mean=a', /mean takes numbers/],
    ['x,order=gbr', /order takes rgb or bgr, not "gbr"/],
    ['x,mean=1,size=3', /knows no "size"/],
    ['x,mean=1,mean=2', /mean twice/],
    ['x,largest=5', /largest takes WIDTHxHEIGHT/],
  ];
  for (const [text, message] of bad) assert.throws(() => parseImageInput(text), message);
});

test('classify gives the best classes with their labels', async () => {
  const labels = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'];
  const net = await imageNet(readFileSync(DIGITS), { labels, imageInput: { largest: [64, 64] } });
  const given = picture(50, 40, 3);
  const scores = net.run({ [net.inputs[0]!.name]: given })[net.outputs[0]!.name] as Float32Array;
  const top = net.classify(given, { topK: 3 });
  assert.is(top.length, 3);
  assert.is(top[0]!.index, argmax(scores));
  for (const { index, score, label } of top) {
    assert.is(score, scores[index]);
    assert.is(label, labels[index]);
  }
  assert.ok(top[0]!.score >= top[1]!.score && top[1]!.score >= top[2]!.score);
  assert.is(net.classify(given).length, 5);
  assert.throws(() => net.classify(given, { topK: 0 }), /topK is a positive integer, not 0/);
  const plain = await imageNet(readFileSync(DIGITS), { labels });
  const input = new Float32Array(28 * 28).fill(0.5);
  assert.equal(plain.classify(input), plain.classify({ [plain.inputs[0]!.name]: input }));
});

/** A 224 x 224 picture enlarged, as another program would have. */
function enlarged(pixels: Uint8Array, width: number, height: number): Picture {
  const rgba = new Uint8Array(4 * 224 * 224).fill(255);
  for (let i = 0; i < 224 * 224; i++) for (let c = 0; c < 3; c++) rgba[4 * i + c] = pixels[3 * i + c]!;
  const rgb = resizeImage(rgba, 224, 224, [width, height]);
  const data = new Uint8Array(4 * width * height).fill(255);
  for (let i = 0; i < width * height; i++) for (let c = 0; c < 3; c++) data[4 * i + c] = rgb[3 * i + c]!;
  return { data, width, height };
}

/** Bilinear in floating point: half-pixel centres, edges clamped, floor(v + 0.5). */
function floatResize({ data, width, height }: Picture, to: number): Uint8Array {
  const taps = (from: number) =>
    Array.from({ length: to }, (_, i) => {
      const at = Math.min(Math.max(((i + 0.5) * from) / to - 0.5, 0), from - 1);
      const low = Math.floor(at);
      return { low, high: Math.min(low + 1, from - 1), part: at - low };
    });
  const out = new Uint8Array(3 * to * to);
  const [rows, columns] = [taps(height), taps(width)];
  let i = 0;
  for (const y of rows)
    for (const x of columns)
      for (let c = 0; c < 3; c++) {
        const pixel = (row: number, column: number): number => data[4 * (row * width + column) + c]!;
        const mix = (row: number): number => pixel(row, x.low) * (1 - x.part) + pixel(row, x.high) * x.part;
        out[i++] = Math.floor(mix(y.low) * (1 - y.part) + mix(y.high) * y.part + 0.5);
      }
  return out;
}

const AGREE = 'pixels of other sizes give the top-1 of the reference preprocessing';
if (hasImages(AGREE))
  test(AGREE, async () => {
    const name = 'mobilenet_v1_0.25_128_qat_u8';
    const size = 128;
    const model = modelBytes(name);
    const plain = await loadCompiled(await compile(model));
    const { inputs } = plain;
    const options = { mean: [128], std: [128], range: 255 } as const;
    const net = await imageNet(model, { imageInput: { name: inputs[0]!.name, ...options } });
    const output = plain.outputs[0]!.name;
    const step = Number(process.env.QC_IMAGE_STEP ?? 125);
    const images = imageList().filter((_, i) => i % step === 0);
    for (const [w, h] of [
      [640, 480],
      [1900, 1000],
      [97, 131],
    ] as const) {
      let same = 0;
      for (const { file } of images) {
        const given = enlarged(decodeImage(file), w, h);
        const expected = plain.run({
          [inputs[0]!.name]: imageTensor(floatResize(given, size), size).data as Float32Array,
        });
        const [top] = net.classify(given, { topK: 1 });
        if (top!.index === argmax(expected[output] as Float32Array)) same++;
      }
      console.log(`${w} x ${h}: ${same} of ${images.length} agree`);
      assert.ok(same >= 0.99 * images.length, `${w} x ${h}: ${same} of ${images.length}`);
    }
  });

test('random options and sizes', async () => {
  const model = network(true);
  const plain = await loadCompiled(await compile(model));
  const value = fc.double({ min: -1, max: 1, noNaN: true });
  const spread = fc.double({ min: 0.1, max: 2, noNaN: true });
  const side = fc.integer({ min: 1, max: 30 });
  await fc.assert(
    fc.asyncProperty(fc.array(value, { minLength: 3, maxLength: 3 }), spread, side, side, async (mean, std, w, h) => {
      const options = { mean, std: [std] };
      const net = await imageNet(model, { imageInput: { ...options, largest: [30, 30] } });
      const given = picture(w, h, w + h);
      assert.equal(net.run({ x: given }), plain.run({ x: reference(plain, given, options) }));
    }),
    { numRuns: 8 },
  );
});

test.run();
