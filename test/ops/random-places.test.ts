/** Einsum, gathers and scatters of random ranks, shapes, equations and places, against onnxruntime; seeds are fixed. */
import { test } from 'uvu';
import { checkEverywhere } from '../support/op-everywhere.js';
import { hasOrt } from '../support/ort.js';
import { random } from '../support/tensors.js';

/** A whole number in lo..hi. */
const whole = (next: () => number, lo: number, hi: number): number => lo + Math.floor(next() * (hi - lo + 1));

const pick = <T>(next: () => number, list: readonly T[]): T => list[whole(next, 0, list.length - 1)] as T;

const indices = (shape: readonly number[], data: readonly number[]) => ({ shape, dtype: 'i64' as const, data });

const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** Letters in a random order, each with a size. */
function equation(next: () => number): { equation: string; inputs: number[][] } {
  const letters = ['a', 'b', 'c', 'd', 'e'];
  const sizes = Object.fromEntries(letters.map((c) => [c, whole(next, 1, 4)]));
  const term = (): string[] => {
    const left = [...letters];
    return Array.from(
      { length: whole(next, 1, 4) },
      () => left.splice(whole(next, 0, left.length - 1), 1)[0] as string,
    );
  };
  const terms = Array.from({ length: whole(next, 1, 2) }, term);
  const known = [...new Set(terms.flat())];
  const kept = known.filter(() => next() > 0.4).sort(() => next() - 0.5);
  const explicit = next() > 0.2;
  const inputs = terms.map((t) => t.map((c) => sizes[c] as number));
  return { equation: terms.map((t) => t.join('')).join(',') + (explicit ? `->${kept.join('')}` : ''), inputs };
}

if (hasOrt('random places against onnxruntime')) {
  test('Einsum of random equations', async () => {
    const next = random(71);
    for (let i = 0; i < 40; i++) {
      const { equation: text, inputs } = equation(next);
      await checkEverywhere({ op: 'Einsum', attrs: { equation: text }, inputs });
    }
  });

  test('GatherElements and ScatterElements of random places', async () => {
    const next = random(72);
    for (let i = 0; i < 25; i++) {
      const shape = Array.from({ length: whole(next, 1, 4) }, () => whole(next, 1, 4));
      const axis = whole(next, -shape.length, shape.length - 1);
      const along = axis < 0 ? axis + shape.length : axis;
      const extent = shape[along] as number;
      const chosen = shape.map((n, d) => (d === along ? whole(next, 1, 5) : whole(next, 1, n)));
      const places = indices(
        chosen,
        Array.from({ length: sizeOf(chosen) }, () => whole(next, -extent, extent - 1)),
      );
      await checkEverywhere({ op: 'GatherElements', attrs: { axis }, inputs: [shape, places] });
      const reduction = pick(next, ['add', 'mul', 'min', 'max']);
      const updates = { shape: chosen, data: places.data.map(() => 2 * next() - 1) };
      await checkEverywhere({
        op: 'ScatterElements',
        opset: 18,
        attrs: { axis, reduction },
        inputs: [shape, places, updates],
      });
    }
  });

  test('GatherND and ScatterND of random places', async () => {
    const next = random(73);
    for (let i = 0; i < 25; i++) {
      const shape = Array.from({ length: whole(next, 1, 4) }, () => whole(next, 1, 4));
      const depth = whole(next, 1, shape.length);
      const tuples = Array.from({ length: whole(next, 0, 2) }, () => whole(next, 1, 3));
      const data = Array.from({ length: sizeOf(tuples) }, () =>
        shape.slice(0, depth).map((n) => whole(next, -n, n - 1)),
      ).flat();
      const places = indices([...tuples, depth], data);
      await checkEverywhere({ op: 'GatherND', inputs: [shape, places] });
      const slices = [...tuples, ...shape.slice(depth)];
      const updates = { shape: slices, data: Array.from({ length: sizeOf(slices) }, () => 2 * next() - 1) };
      const reduction = pick(next, ['add', 'mul', 'min', 'max']);
      await checkEverywhere({ op: 'ScatterND', opset: 18, attrs: { reduction }, inputs: [shape, places, updates] });
    }
  });
}

test.run();
