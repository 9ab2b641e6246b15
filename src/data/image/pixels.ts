/** A picture in memory: 8 bits a channel, R G B, rows from top to bottom. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  /** height x width x 3 bytes. */
  readonly data: Uint8Array;
}

/** Bytes R G B A of a picture without transparency. */
export function rgbaOf({ width, height, data }: Pixels): Uint8Array {
  const rgba = new Uint8Array(4 * width * height).fill(255);
  for (let i = 0; i < width * height; i++) for (let c = 0; c < 3; c++) rgba[4 * i + c] = data[3 * i + c] as number;
  return rgba;
}

/** Where pixel (x, y) of the upright picture lies in one stored with an EXIF orientation (1 to 8) of `w` x `h` pixels. */
const STORED_AT: Readonly<Record<number, (x: number, y: number, w: number, h: number) => readonly [number, number]>> = {
  2: (x, y, w) => [w - 1 - x, y],
  3: (x, y, w, h) => [w - 1 - x, h - 1 - y],
  4: (x, y, _, h) => [x, h - 1 - y],
  5: (x, y) => [y, x],
  6: (x, y, _, h) => [y, h - 1 - x],
  7: (x, y, w, h) => [w - 1 - y, h - 1 - x],
  8: (x, y, w) => [w - 1 - y, x],
};

/** Turns a picture upright that was stored with an EXIF orientation; 1 and unknown values mean that it is. */
export function orient(pixels: Pixels, orientation: number): Pixels {
  const from = STORED_AT[orientation];
  if (!from) return pixels;
  const { width: w, height: h, data } = pixels;
  const [width, height] = orientation >= 5 ? [h, w] : [w, h];
  const out = new Uint8Array(data.length);
  let at = 0;
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const [sx, sy] = from(x, y, w, h);
      const source = (sy * w + sx) * 3;
      for (let c = 0; c < 3; c++) out[at++] = data[source + c] as number;
    }
  return { width, height, data: out };
}

/** A rectangle of a picture; it must lie inside. */
export function crop(pixels: Pixels, left: number, top: number, width: number, height: number): Pixels {
  if (left === 0 && top === 0 && width === pixels.width && height === pixels.height) return pixels;
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    const start = ((top + y) * pixels.width + left) * 3;
    data.set(pixels.data.subarray(start, start + width * 3), y * width * 3);
  }
  return { width, height, data };
}
