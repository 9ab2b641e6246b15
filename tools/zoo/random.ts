/** Seeded random numbers and image-like inputs. */

/** A generator of uniform and normal numbers (mulberry32, polar method). */
export class Random {
  private state: number;
  private spare: number | null = null;

  constructor(seed: number) {
    this.state = seed >>> 0;
  }

  /** Uniform in [low, high). */
  uniform(low = 0, high = 1): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return low + ((high - low) * ((t ^ (t >>> 14)) >>> 0)) / 4294967296;
  }

  /** Normal with mean 0 and variance 1. */
  normal(): number {
    if (this.spare !== null) {
      const value = this.spare;
      this.spare = null;
      return value;
    }
    for (;;) {
      const [x, y] = [this.uniform(-1), this.uniform(-1)];
      const square = x * x + y * y;
      if (square === 0 || square >= 1) continue;
      const factor = Math.sqrt((-2 * Math.log(square)) / square);
      this.spare = y * factor;
      return x * factor;
    }
  }

  /** A list of normal numbers. */
  normals(length: number): Float64Array {
    const values = new Float64Array(length);
    for (let i = 0; i < length; i++) values[i] = this.normal();
    return values;
  }
}

/** A seed from a number and a text, such as a network's name. */
export function seedOf(seed: number, text: string): number {
  let hash = 0x811c9dc5 ^ seed;
  for (const char of text) hash = Math.imul(hash ^ (char.codePointAt(0) as number), 0x01000193);
  return hash >>> 0;
}

/** Grid points per side of the coarse part of an image. */
const COARSE = 8;

/** An image [channels, height, width] like a normalized photo: smooth shapes, some noise, roughly mean 0, variance 1. */
export function seededImage(shape: readonly number[], seed: number): Float32Array {
  const [channels, height, width] = shape as [number, number, number];
  const random = new Random(seed);
  const image = new Float32Array(channels * height * width);
  for (let c = 0; c < channels; c++) {
    const coarse = random.normals((COARSE + 1) ** 2);
    const at = (y: number, x: number): number => coarse[y * (COARSE + 1) + x] as number;
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        const [fy, fx] = [(y / height) * COARSE, (x / width) * COARSE];
        const [iy, ix] = [Math.floor(fy), Math.floor(fx)];
        const top = at(iy, ix) + (at(iy, ix + 1) - at(iy, ix)) * (fx - ix);
        const bottom = at(iy + 1, ix) + (at(iy + 1, ix + 1) - at(iy + 1, ix)) * (fx - ix);
        image[(c * height + y) * width + x] = 1.3 * (top + (bottom - top) * (fy - iy)) + 0.3 * random.normal();
      }
  }
  return image;
}
