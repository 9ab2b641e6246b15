import type { Pixels } from '../data/image/pixels.js';
import type { SampleSource } from '../data/sample.js';

/** A seeded generator of numbers in [0, 1) (mulberry32). */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** The numbers 0 to n - 1 in an order that the seed decides (Fisher-Yates). */
export function shuffled(n: number, seed: number): number[] {
  const next = random(seed);
  const order = Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor(next() * (i + 1));
    [order[i], order[j]] = [order[j] as number, order[i] as number];
  }
  return order;
}

/** At most `count` samples of a source: the first, or those that a seed chooses, in the order of the source. */
export function selectSamples(source: SampleSource, count = source.length, seed?: number): SampleSource {
  if (count >= source.length) return source;
  const order =
    seed === undefined
      ? undefined
      : shuffled(source.length, seed)
          .slice(0, count)
          .sort((a, b) => a - b);
  const at = (i: number): number => (order ? (order[i] as number) : i);
  return {
    length: count,
    description: `${count} of ${source.description}${seed === undefined ? '' : `, chosen by seed ${seed}`}`,
    ...(source.picture ? { picture: (i: number) => source.picture?.(at(i)) as Promise<Pixels> } : {}),
    label: (i) => source.label?.(at(i)),
    async *samples(from = 0, to = count) {
      for (let i = from; i < to; i++)
        for await (const sample of source.samples(at(i), at(i) + 1)) yield { ...sample, index: i };
    },
  };
}
