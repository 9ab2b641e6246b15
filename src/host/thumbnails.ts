import { rgbaOf } from '../data/image/pixels.js';
import { resize } from '../data/image/resize.js';
import type { SampleSource } from '../data/sample.js';

const SIDE = 96;
const QUALITY = 75;
/** A page with more pictures is slow to open. */
const MOST = 200;

/** Small JPEGs of samples as data URLs, by index; of the first ones where there are very many, of none without pictures. */
export async function thumbnails(source: SampleSource, indices: readonly number[]): Promise<Map<number, string>> {
  const made = new Map<number, string>();
  if (!source.picture) return made;
  const jpeg = (await import('jpeg-js')).default;
  for (const index of indices.slice(0, MOST)) {
    const picture = await source.picture(index);
    const scale = Math.min(1, SIDE / Math.max(picture.width, picture.height));
    const side = (n: number): number => Math.max(1, Math.round(n * scale));
    const small = resize(picture, side(picture.width), side(picture.height), 'triangle');
    const { width, height } = small;
    const { data: bytes } = jpeg.encode({ width, height, data: rgbaOf(small) }, QUALITY);
    made.set(index, `data:image/jpeg;base64,${Buffer.from(bytes).toString('base64')}`);
  }
  return made;
}
