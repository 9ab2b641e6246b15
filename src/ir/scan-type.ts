/** Reads types, grids and attributes of the text form. */
import type { Attrs, AttrValue } from './graph.js';
import type { Scanner } from './scanner.js';
import { CODE_RANGE, type CodeDType, DTYPES, type DType, type Quant, type TensorType } from './type.js';

/** Reads a type, `u8[1,16] @u8(0.0235, zp=128)`. */
export function scanType(s: Scanner): TensorType {
  const dtype = s.word('a type');
  if (!(DTYPES as readonly string[]).includes(dtype)) throw s.error(`${dtype} is not a dtype (${DTYPES.join(', ')})`);
  const shape = s.list('[', ']', () => s.integer('a dimension'));
  const type = { dtype: dtype as DType, shape };
  return s.take('@') ? { ...type, quant: scanQuant(s) } : type;
}

/** Reads what follows the @ of a grid. */
function scanQuant(s: Scanner): Quant {
  const dtype = s.word('a code type') as CodeDType;
  if (!(dtype in CODE_RANGE)) throw s.error(`${dtype} is not a code type (${Object.keys(CODE_RANGE).join(', ')})`);
  const scale = (): number => s.number();
  s.expect('(');
  let axis: number | null = null;
  let scales: number[];
  if (s.take('axis=')) {
    axis = s.take('none') ? null : s.integer('an axis');
    s.expect(',');
    scales = s.list('[', ']', scale);
  } else scales = [scale()];
  let zeroPoints = scales.map(() => 0);
  let [min, max]: readonly [number, number] = CODE_RANGE[dtype];
  let rounding: Quant['rounding'] = 'even';
  let reciprocal = false;
  while (s.take(',')) {
    if (s.take('zp=')) zeroPoints = s.next === '[' ? s.list('[', ']', () => s.number()) : [s.number()];
    else if (s.take('range=')) {
      min = s.integer('the least code');
      s.expect('..');
      max = s.integer('the greatest code');
    } else if (s.take('away')) rounding = 'away';
    else if (s.take('reciprocal')) reciprocal = true;
    else throw s.error('expected zp=, range=, away or reciprocal');
  }
  s.expect(')');
  const grid = { dtype, axis, scales: reciprocal ? scales : scales.map(Math.fround), zeroPoints, min, max, rounding };
  return reciprocal ? { ...grid, reciprocal } : grid;
}

/** Reads the attributes of a node: JSON, with grids as `@u8(...)` and with inf, -inf and nan as numbers. */
export function scanAttrs(s: Scanner): Attrs {
  const entries = s.list('{', '}', (): [string, AttrValue] => {
    const key = s.string('the name of an attribute');
    s.expect(':');
    return [key, scanAttr(s)];
  });
  return Object.fromEntries(entries);
}

function scanAttr(s: Scanner): AttrValue {
  if (s.next === '{') return scanAttrs(s);
  if (s.next === '[') return s.list('[', ']', () => scanAttr(s));
  if (s.next === '"') return s.string();
  if (s.take('@')) return { ...scanQuant(s) };
  for (const [word, value] of [
    ['true', true],
    ['false', false],
    ['null', null],
  ] as const)
    if (s.take(word)) return value;
  return s.number('the value of an attribute');
}
