import type { Value } from '../ir/graph.js';
import type { ImportContext, OnnxImporter } from './import-context.js';

/** The names of the dimensions that `...` stands for, so many from the end. */
const ellipsisName = (fromEnd: number): number => -1 - fromEnd;

/** One term of an equation as names: letters by their code, the dimensions of `...` as negative numbers. */
function namesOf(term: string, rank: number | null, spread: number): number[] {
  const match = /^([A-Za-z]*)(\.\.\.)?([A-Za-z]*)$/.exec(term);
  if (!match) throw new Error(`"${term}" is no term of an equation`);
  const letters = (s = ''): number[] => Array.from(s, (c) => c.charCodeAt(0));
  const [head, tail] = [letters(match[1]), letters(match[3])];
  const dims = match[2] ? (rank === null ? spread : rank - head.length - tail.length) : 0;
  if (dims < 0 || (rank !== null && head.length + tail.length + dims !== rank))
    throw new Error(`the term "${term}" for a tensor of rank ${rank}`);
  return [...head, ...Array.from({ length: dims }, (_, i) => ellipsisName(dims - 1 - i)), ...tail];
}

/** The names of operands and result of an equation. Source: ONNX Einsum, numpy.einsum. */
function parseEquation(equation: string, ranks: readonly number[]): { operands: number[][]; result: number[] } {
  const [left = '', right, ...more] = equation.replace(/\s/g, '').split('->');
  const terms = left.split(',');
  if (more.length > 0 || terms.length !== ranks.length)
    throw new Error(`the equation "${equation}" for ${ranks.length} operands`);
  const operands = terms.map((term, k) => namesOf(term, ranks[k] as number, 0));
  const all = operands.flat();
  const spread = Math.max(0, ...all.filter((n) => n < 0).map((n) => -n));
  if (right !== undefined) {
    const result = namesOf(right, null, spread);
    if (new Set(result).size !== result.length || result.some((n) => !all.includes(n)))
      throw new Error(`the result of the equation "${equation}"`);
    return { operands, result };
  }
  // without a result: the dimensions of `...`, then the letters that stand once, in order
  const once = [...new Set(all)].filter((n) => n >= 0 && all.filter((m) => m === n).length === 1).sort((a, b) => a - b);
  return { operands, result: [...Array.from({ length: spread }, (_, i) => ellipsisName(spread - 1 - i)), ...once] };
}

/** ONNX Einsum: operands are taken two at a time; an intermediate keeps the indices that are still needed. */
export const importEinsum: OnnxImporter = (context) => {
  const values = Array.from({ length: context.inputCount }, (_, i) => context.input(i));
  const ranks = values.map((v) => v.type.shape.length);
  const { operands, result } = parseEquation(context.attrs.string('equation'), ranks);
  let [value, names] = [values[0] as Value, operands[0] as number[]];
  if (values.length === 1) return add(context, [names], result, [value]);
  for (let k = 1; k < values.length; k++) {
    const other = operands[k] as number[];
    const later = new Set([...result, ...operands.slice(k + 1).flat()]);
    const last = k === values.length - 1;
    const kept = last ? result : [...new Set([...names, ...other])].filter((n) => later.has(n));
    value = add(context, [names, other], kept, [value, values[k] as Value]);
    names = kept;
  }
  return value;
};

const add = (
  context: ImportContext,
  operands: readonly (readonly number[])[],
  result: readonly number[],
  values: readonly Value[],
): Value => context.add('einsum', { operands, result }, values);
