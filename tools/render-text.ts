/**
 * Renders text for calibration and tests of text networks: lines as a direction classifier reads them, pages as a detector
 * reads them. Everything follows from a seed and from the glyphs below; no font is needed.
 *
 * Usage: tsx tools/render-text.ts lines|pages COUNT FOLDER [--seed N]
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { encodeNpy } from '../src/data/npy.js';

/** Letters and digits on 5 x 7 points, a row per number, the left point in bit 4. */
const GLYPHS: Readonly<Record<string, readonly number[]>> = {
  A: [14, 17, 17, 31, 17, 17, 17],
  B: [30, 17, 17, 30, 17, 17, 30],
  C: [14, 17, 16, 16, 16, 17, 14],
  D: [30, 17, 17, 17, 17, 17, 30],
  E: [31, 16, 16, 30, 16, 16, 31],
  F: [31, 16, 16, 30, 16, 16, 16],
  G: [14, 17, 16, 23, 17, 17, 15],
  H: [17, 17, 17, 31, 17, 17, 17],
  I: [14, 4, 4, 4, 4, 4, 14],
  J: [7, 2, 2, 2, 2, 18, 12],
  K: [17, 18, 20, 24, 20, 18, 17],
  L: [16, 16, 16, 16, 16, 16, 31],
  M: [17, 27, 21, 21, 17, 17, 17],
  N: [17, 25, 21, 19, 17, 17, 17],
  O: [14, 17, 17, 17, 17, 17, 14],
  P: [30, 17, 17, 30, 16, 16, 16],
  Q: [14, 17, 17, 17, 21, 18, 13],
  R: [30, 17, 17, 30, 20, 18, 17],
  S: [15, 16, 16, 14, 1, 1, 30],
  T: [31, 4, 4, 4, 4, 4, 4],
  U: [17, 17, 17, 17, 17, 17, 14],
  V: [17, 17, 17, 17, 17, 10, 4],
  W: [17, 17, 17, 21, 21, 27, 17],
  X: [17, 17, 10, 4, 10, 17, 17],
  Y: [17, 17, 10, 4, 4, 4, 4],
  Z: [31, 1, 2, 4, 8, 16, 31],
  0: [14, 17, 19, 21, 25, 17, 14],
  1: [4, 12, 4, 4, 4, 4, 14],
  2: [14, 17, 1, 6, 8, 16, 31],
  3: [31, 2, 4, 2, 1, 17, 14],
  4: [2, 6, 10, 18, 31, 2, 2],
  5: [31, 16, 30, 1, 1, 17, 14],
  6: [6, 8, 16, 30, 17, 17, 14],
  7: [31, 1, 2, 4, 8, 8, 8],
  8: [14, 17, 17, 14, 17, 17, 14],
  9: [14, 17, 17, 15, 1, 2, 12],
};
const CHARACTERS = Object.keys(GLYPHS).join('');
const [COLUMNS, ROWS] = [6, 7];

/** Seeded numbers in [0, 1) (mulberry32). */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** A picture in RGB, channels innermost, 0 to 255. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly data: Float32Array;
}

type Colour = readonly [number, number, number];

/** A stroke from one point of a glyph to another, in points of the glyph. */
type Stroke = readonly [x0: number, y0: number, x1: number, y1: number];

/** Strokes that join the neighbouring points of a glyph; diagonal ones where no corner lies between. */
function strokesOf(rows: readonly number[]): Stroke[] {
  const has = (x: number, y: number): boolean => x >= 0 && x < 5 && (((rows[y] ?? 0) >> (4 - x)) & 1) === 1;
  const strokes: Stroke[] = [];
  for (let y = 0; y < ROWS; y++)
    for (let x = 0; x < 5; x++) {
      if (!has(x, y)) continue;
      const join = (dx: number, dy: number): number => strokes.push([x + 0.5, y + 0.5, x + dx + 0.5, y + dy + 0.5]);
      if (has(x + 1, y)) join(1, 0);
      if (has(x, y + 1)) join(0, 1);
      for (const dx of [-1, 1]) if (has(x + dx, y + 1) && !has(x + dx, y) && !has(x, y + 1)) join(dx, 1);
    }
  return strokes;
}

const STROKES = new Map(Object.entries(GLYPHS).map(([name, rows]) => [name, strokesOf(rows)]));

function distanceTo([x0, y0, x1, y1]: Stroke, x: number, y: number): number {
  const along = ((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / ((x1 - x0) ** 2 + (y1 - y0) ** 2);
  const t = Math.min(Math.max(along, 0), 1);
  return Math.hypot(x - x0 - t * (x1 - x0), y - y0 - t * (y1 - y0));
}

/** How much ink lies at a point of a text: 1 inside of strokes of a half width, falling off over `blur` points of the glyph. */
function inkAt(text: string, x: number, y: number, weight: number, blur: number): number {
  const column = Math.floor(x / COLUMNS);
  let distance = Number.POSITIVE_INFINITY;
  for (const stroke of STROKES.get(text[column] ?? '') ?? [])
    distance = Math.min(distance, distanceTo(stroke, x - column * COLUMNS, y));
  return Math.min(Math.max((weight - distance) / blur + 0.5, 0), 1);
}

/** Draws a text with its upper left corner at (left, top); `flip` turns it by 180 degrees in its box. */
function draw(
  picture: Picture,
  text: string,
  box: { left: number; top: number; size: number },
  style: { ink: Colour; weight: number; flip: boolean; slant: number },
): void {
  const scale = box.size / ROWS;
  const [width, height] = [Math.ceil(text.length * COLUMNS * scale), Math.ceil(box.size)];
  for (let py = 0; py < height; py++)
    for (let px = 0; px < width; px++) {
      const [u, v] = style.flip ? [width - 1 - px, height - 1 - py] : [px, py];
      const y = (v + 0.5) / scale;
      const ink = inkAt(text, (u + 0.5) / scale + style.slant * (y - ROWS / 2), y, style.weight, 1 / scale);
      const [x, row] = [Math.round(box.left) + px, Math.round(box.top) + py];
      if (ink === 0 || x < 0 || row < 0 || x >= picture.width || row >= picture.height) continue;
      for (let c = 0; c < 3; c++) {
        const i = (row * picture.width + x) * 3 + c;
        picture.data[i] = (picture.data[i] as number) * (1 - ink) + (style.ink[c] as number) * ink;
      }
    }
}

function paper(width: number, height: number, next: () => number): { picture: Picture; ink: Colour } {
  const dark = next() < 0.15;
  const base = dark ? 20 + 60 * next() : 170 + 85 * next();
  const contrast = 70 + 110 * next();
  const tint = (): number => 25 * (next() - 0.5);
  const colour = (level: number): Colour => [level + tint(), level + tint(), level + tint()];
  const back = colour(base);
  const slope = [40 * (next() - 0.5), 40 * (next() - 0.5)] as const;
  const data = new Float32Array(3 * width * height);
  for (let i = 0; i < data.length; i++) {
    const [x, y] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width)];
    data[i] = (back[i % 3] as number) + slope[0] * (x / width - 0.5) + slope[1] * (y / height - 0.5);
  }
  return { picture: { width, height, data }, ink: colour(dark ? base + contrast : Math.max(base - contrast, 0)) };
}

function finish(picture: Picture, noise: number, next: () => number): Picture {
  const data = picture.data.map((v) =>
    Math.min(Math.max(Math.round(v + noise * (next() + next() + next() - 1.5)), 0), 255),
  );
  return { ...picture, data };
}

const word = (next: () => number, length: number): string =>
  Array.from({ length }, () => CHARACTERS[Math.floor(next() * CHARACTERS.length)] as string).join('');

const styleOf = (ink: Colour, flip: boolean, next: () => number) => ({
  ink,
  flip,
  weight: 0.35 + 0.3 * next(),
  slant: next() < 0.3 ? 0.15 * next() : 0,
});

/** A line of text that fills a picture of a random width, upright or turned by 180 degrees. */
export function renderLine(seed: number): Picture {
  const next = random(seed);
  const text = Array.from({ length: 1 + Math.floor(3 * next()) }, () => word(next, 2 + Math.floor(7 * next()))).join(
    ' ',
  );
  const size = 8 + 32 * next();
  const margin = 3 + 6 * next();
  const width = Math.ceil((text.length * COLUMNS * size) / ROWS + 2 * margin);
  const { picture, ink } = paper(width, Math.ceil(size + 2 * margin), next);
  draw(picture, text, { left: margin, top: margin, size }, styleOf(ink, next() < 0.5, next));
  return finish(picture, 18 * next(), next);
}

/** Fills a disc or a rectangle with a colour. */
function drawShape(picture: Picture, next: () => number): void {
  const round = next() < 0.5;
  const colour = [0, 1, 2].map(() => 255 * next());
  const [cx, cy] = [picture.width * next(), picture.height * next()];
  const [rx, ry] = [20 + 60 * next(), round ? 0 : 10 + 50 * next()];
  for (let i = 0; i < picture.data.length; i++) {
    const [dx, dy] = [(Math.floor(i / 3) % picture.width) - cx, Math.floor(i / 3 / picture.width) - cy];
    const inside = round ? Math.hypot(dx, dy) < rx : Math.abs(dx) < rx && Math.abs(dy) < ry;
    if (inside) picture.data[i] = colour[i % 3] as number;
  }
}

/** A page of words in lines of several sizes: crowded or nearly empty, clean or noisy, some with a coloured shape. */
export function renderPage(seed: number, width = 320, height = 320): Picture {
  const next = random(seed);
  const { picture, ink } = paper(width, height, next);
  const [air, noise] = [3 * next() ** 2, next() < 0.5 ? 0 : 14 * next()];
  if (next() < 0.4) drawShape(picture, next);
  for (let top = 8 + 20 * next(); top < height - 24; ) {
    const size = 9 + 31 * next() ** 2;
    for (let left = 6 + 60 * next(); left < width - 40; ) {
      const text = word(next, 2 + Math.floor(8 * next()));
      if (next() < 0.8) draw(picture, text, { left, top, size }, styleOf(ink, false, next));
      left += ((text.length + 1.5 + air * next()) * COLUMNS * size) / ROWS;
    }
    top += size * (1.5 + 1.2 * next() + air);
  }
  return finish(picture, noise, next);
}

/** The input of the direction classifier: 48 high, at most 192 wide, (p / 255 - 0.5) / 0.5 in BGR planes, padded with 0. */
export function lineInput(picture: Picture): Float32Array {
  const [height, most] = [48, 192];
  const width = Math.min(most, Math.ceil((height * picture.width) / picture.height));
  const input = new Float32Array(3 * height * most);
  for (let c = 0; c < 3; c++)
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        const v = sample(
          picture,
          ((x + 0.5) * picture.width) / width - 0.5,
          ((y + 0.5) * picture.height) / height - 0.5,
          2 - c,
        );
        input[(c * height + y) * most + x] = Math.round(v) / 127.5 - 1;
      }
  return input;
}

const MEAN = [0.485, 0.456, 0.406];
const STD = [0.229, 0.224, 0.225];

/** The input of the detector: BGR planes, (p / 255 - mean) / std with the numbers applied in this order. */
export function pageInput({ width, height, data }: Picture): Float32Array {
  const plane = width * height;
  return Float32Array.from({ length: 3 * plane }, (_, i) => {
    const c = Math.floor(i / plane);
    const v = data[(i % plane) * 3 + 2 - c] as number;
    return (v / 255 - (MEAN[c] as number)) / (STD[c] as number);
  });
}

/** Bilinear, edges clamped. */
function sample({ width, height, data }: Picture, x: number, y: number, c: number): number {
  const [cx, cy] = [Math.min(Math.max(x, 0), width - 1), Math.min(Math.max(y, 0), height - 1)];
  const [x0, y0] = [Math.floor(cx), Math.floor(cy)];
  const [x1, y1] = [Math.min(x0 + 1, width - 1), Math.min(y0 + 1, height - 1)];
  const at = (px: number, py: number): number => data[(py * width + px) * 3 + c] as number;
  const top = at(x0, y0) * (1 - (cx - x0)) + at(x1, y0) * (cx - x0);
  const bottom = at(x0, y1) * (1 - (cx - x0)) + at(x1, y1) * (cx - x0);
  return top * (1 - (cy - y0)) + bottom * (cy - y0);
}

/** Writes samples as .npy files, ready for `qc calibrate --data FOLDER`. */
function write(kind: string, count: number, folder: string, seed: number): void {
  mkdirSync(folder, { recursive: true });
  for (let i = 0; i < count; i++) {
    const lines = kind === 'lines';
    const data = lines ? lineInput(renderLine(seed + i)) : pageInput(renderPage(seed + i));
    const npy = encodeNpy({ dtype: 'f32', shape: lines ? [1, 3, 48, 192] : [1, 3, 320, 320], data });
    writeFileSync(join(folder, `${kind}-${String(i).padStart(3, '0')}.npy`), npy);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [kind, count, folder, , seed] = process.argv.slice(2);
  if ((kind !== 'lines' && kind !== 'pages') || !(Number(count) > 0) || !folder)
    throw new Error('usage: tsx tools/render-text.ts lines|pages COUNT FOLDER [--seed N]');
  write(kind, Number(count), folder, Number(seed ?? 1));
}
