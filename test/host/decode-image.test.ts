/**
 * Every form of picture that data sets have. The files of test/fixtures/pictures are one gradient of 16 x 12 pixels
 * (r = 17 x, g = 23 y, b = 9 (x + y)), written by Pillow in each form.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Pixels } from '../../src/data/image/pixels.js';
import { type Decoder, openDecoder } from '../../src/host/decode-image.js';
import { findPackage } from '../../src/host/find-package.js';
import { QcError } from '../../src/support/errors.js';
import { skipUnless } from '../support/skip.js';

const FOLDER = fileURLToPath(new URL('../fixtures/pictures/', import.meta.url));
const read = (name: string): Uint8Array => readFileSync(join(FOLDER, name));

type Colour = readonly [number, number, number];
const colour = (x: number, y: number): Colour => [17 * x, 23 * y, 9 * (x + y)];
const gray = (x: number, y: number): Colour => {
  const [r, g, b] = colour(x, y);
  const v = Math.round((299 * r + 587 * g + 114 * b) / 1000);
  return [v, v, v];
};

/** The greatest difference to what the picture should be. */
function difference({ width, height, data }: Pixels, expected: (x: number, y: number) => Colour): number {
  assert.equal([width, height], [16, 12]);
  let most = 0;
  for (let i = 0; i < data.length; i++) {
    const [x, y] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width)];
    most = Math.max(most, Math.abs(data[i] - expected(x, y)[i % 3]));
  }
  return most;
}

/** Files, what they show, and how far JPEG may be from it. */
const READABLE: readonly (readonly [file: string, expected: (x: number, y: number) => Colour, tolerance: number])[] = [
  ['rgb.png', colour, 0],
  ['rgb16.png', colour, 0],
  ['alpha.png', colour, 0],
  ['palette.png', colour, 0],
  ['gray.png', gray, 1],
  ['gray16.png', gray, 1],
  ['gray-alpha.png', gray, 1],
  ['rgb.jpg', colour, 3],
  ['progressive.jpg', colour, 3],
  ['rotated.jpg', colour, 3],
  ['gray.jpg', gray, 2],
  ['cmyk.jpg', colour, 3],
];

const message = async (decoder: Decoder, bytes: Uint8Array): Promise<string> =>
  decoder.decode(bytes).then(
    () => 'no error',
    (error) => {
      assert.ok(error instanceof QcError && error.kind === 'model', String(error));
      return error.format();
    },
  );

async function checkDecoder(decoder: Decoder): Promise<void> {
  for (const [file, expected, tolerance] of READABLE) {
    const found = difference(await decoder.decode(read(file)), expected);
    assert.ok(found <= tolerance, `${file} by ${decoder.name}: ${found} levels off`);
  }
  assert.match(await message(decoder, new Uint8Array()), /the file is empty/);
  assert.match(await message(decoder, Buffer.from('hello, world')), /not a picture of a type that is known/);
  assert.match(await message(decoder, read('rgb.bmp')), /bmp are not read\n.*PNG/);
  for (const file of ['rgb.png', 'rgb.jpg']) {
    const bytes = read(file);
    for (const part of [0.1, 0.5, 0.75])
      assert.match(
        await message(decoder, bytes.subarray(0, bytes.length * part)),
        /damaged|truncated|not a picture/,
        `${part} of ${file}`,
      );
  }
  const huge = Buffer.from(read('rgb.png'));
  huge.writeUInt32BE(60000, 16);
  huge.writeUInt32BE(60000, 20);
  assert.match(await message(decoder, huge), /60000 x 60000 pixels|damaged/);
}

test('the decoder in JavaScript', async () => {
  const decoder = await openDecoder({ decoder: 'js' });
  await checkDecoder(decoder);
  for (const file of ['rgb.webp', 'rgb.gif'])
    assert.match(await message(decoder, read(file)), /need the decoder sharp\n.*npm install sharp/);
  const stored = await (await openDecoder({ decoder: 'js', ignoreOrientation: true })).decode(read('rotated.jpg'));
  assert.equal([stored.width, stored.height], [12, 16]);
});

test('damaged bytes anywhere give a picture or a model error, never another one', async () => {
  const decoder = await openDecoder({ decoder: 'js' });
  let state = 1;
  const next = (n: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 8) % n;
  };
  for (const file of readdirSync(FOLDER).filter((name) => /\.(png|jpg)$/.test(name)))
    for (let round = 0; round < 40; round++) {
      const bytes = Buffer.from(read(file));
      for (let k = 0; k < 3; k++) bytes[2 + next(bytes.length - 2)] = next(256);
      await decoder
        .decode(bytes)
        .catch((error) => assert.ok(error instanceof QcError && error.kind === 'model', String(error)));
    }
});

// sharp is looked for from the current folder on: the engines of the tests have it.
process.chdir(fileURLToPath(new URL('../engines/', import.meta.url)));
if (skipUnless((await findPackage('sharp')) !== undefined, 'the decoder sharp', 'sharp is not installed'))
  test('the decoder sharp', async () => {
    const decoder = await openDecoder({ decoder: 'sharp' });
    await checkDecoder(decoder);
    assert.is(difference(await decoder.decode(read('rgb.webp')), colour), 0);
    assert.is(difference(await decoder.decode(read('rgb.gif')), colour), 0);
  });

test.run();
