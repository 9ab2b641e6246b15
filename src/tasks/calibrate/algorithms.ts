import { ONNX_ALIASES, OPS } from '../../ops/index.js';
import { ALGORITHMS, type Algorithm } from '../../quant/thresholds.js';
import { usageError } from '../../support/errors.js';

/** The algorithm of every value, by the type of the op that makes it. */
export interface AlgorithmChoice {
  readonly general: Algorithm;
  /** By Paddle's op type, or `input` for inputs of the network. */
  readonly byOp: ReadonlyMap<string, Algorithm>;
}

/** What makes inputs of the network, among op types. */
const INPUT = 'input';

/** conv2d means depthwise convolutions too, as elsewhere; mul also the products with a bias. */
const INCLUDES: Readonly<Record<string, readonly string[]>> = { conv2d: ['depthwise_conv2d'], mul: ['fc'] };

function algorithm(name: string): Algorithm {
  if ((ALGORITHMS as readonly string[]).includes(name)) return name as Algorithm;
  throw usageError(`there is no algorithm "${name}"`, { remedy: `Use ${ALGORITHMS.join(', ')}.` });
}

function opTypes(name: string): readonly string[] {
  if (name === INPUT || OPS.has(name)) return [name, ...(INCLUDES[name] ?? [])];
  const known = ONNX_ALIASES.get(name);
  if (known) return known;
  throw usageError(`"${name}" is no op type`, {
    remedy: 'An algorithm for some ops is written TYPE=ALGORITHM, e.g. concat=minmax, or input=minmax.',
  });
}

/**
 * Reads a choice such as `kl` or `kl,concat=minmax,input=minmax`: one algorithm for all values, and others by the type of
 * the op that makes the value (Paddle's or ONNX's name). Throws a usage error.
 */
export function parseAlgorithms(text: string, fallback: Algorithm): AlgorithmChoice {
  let general: Algorithm | undefined;
  const byOp = new Map<string, Algorithm>();
  for (const word of text
    .split(',')
    .map((w) => w.trim())
    .filter((w) => w !== '')) {
    const [left, right] = word.split('=') as [string, string | undefined];
    if (right !== undefined) for (const type of opTypes(left)) byOp.set(type, algorithm(right));
    else if (general === undefined) general = algorithm(left);
    else throw usageError(`two algorithms for all values, ${general} and ${left}`);
  }
  return { general: general ?? fallback, byOp };
}

/** The algorithm for what an op type makes. */
export const algorithmFor = ({ general, byOp }: AlgorithmChoice, op: string): Algorithm => byOp.get(op) ?? general;

/** Whether any value takes the algorithm. */
export const usesAlgorithm = ({ general, byOp }: AlgorithmChoice, name: Algorithm): boolean =>
  general === name || [...byOp.values()].includes(name);
