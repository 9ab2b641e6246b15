import type { Explanation } from '../../explain.js';

/** The name that a value has in the source: conversions name theirs after it. */
export const sourceName = (name: string): string => name.replace(/(\/(codes|real|rounded|requantized))+(#\d+)?$/, '');

/** Ops that say little of an error in front of them: they saturate, or only convert. */
const SEEN_THROUGH: ReadonlySet<string> = new Set(['softmax', 'sigmoid', 'quantize', 'dequantize', 'requantize']);

/**
 * The tensors by which a network is judged: its outputs, but what a softmax or sigmoid reads in place of its result, which
 * hardly differs while the class is clear.
 */
export function judgedNames(
  { ops, outputs: values }: Explanation,
  outputs: readonly string[],
  known: ReadonlySet<string>,
): string[] {
  const makers = new Map(ops.flatMap((op) => op.results.map((name) => [name, op] as const)));
  const maker = (name: string): (typeof ops)[number] | undefined =>
    makers.get(name) ?? ops.find((op) => op.results.some((result) => sourceName(result) === name));
  const judged = outputs.map((output) => {
    let at = values.find((o) => o.name === output)?.value ?? output;
    for (let op = maker(at); op && SEEN_THROUGH.has(op.type); op = maker(at)) at = op.operands[0] ?? at;
    const name = sourceName(at);
    return known.has(name) ? name : output;
  });
  return [...new Set(judged)];
}
