import { ONNX_ALIASES, OPS, PADDLE_ALIASES } from './ops/index.js';
import { usageError } from './support/errors.js';

/** Op types that can be int8, by Paddle name. */
const quantizableOps = (): string[] =>
  [...OPS.values()]
    .filter((op) => op.quant !== 'float-only' && op.quant !== 'boundary' && op.lower && op.name !== 'assign')
    .map((op) => op.name)
    .sort();

/**
 * The Paddle names behind a list of op types; ONNX names and further Paddle types are aliases. `note` hears of the ambiguous `mul`.
 * Throws a usage error that lists the valid names.
 */
export function selectOps(names: readonly string[], note: (text: string) => void): ReadonlySet<string> {
  const valid = new Set(quantizableOps());
  const selected = new Set<string>();
  for (const name of names) {
    if (name === 'mul') note('"mul" is the matrix product; the elementwise product is "elementwise_mul" (ONNX "Mul").');
    if (name === 'Mul') note('"Mul" is the elementwise product "elementwise_mul"; the matrix product is "mul".');
    const found = valid.has(name)
      ? [name]
      : (ONNX_ALIASES.get(name) ?? PADDLE_ALIASES.get(name) ?? []).filter((n) => valid.has(n));
    if (found.length === 0)
      throw usageError(`"${name}" is no op type that can be int8`, {
        remedy: `Valid op types: ${[...valid].join(', ')}.`,
      });
    for (const n of found) selected.add(n);
  }
  return selected;
}
