import { modelError, type QcError } from '../support/errors.js';

/** Thrown for something valid that qc cannot compile. The import collects these and reports them all at once. */
export class Unsupported extends Error {
  readonly remedy: string | undefined;

  constructor(what: string, remedy?: string) {
    super(what);
    this.name = 'Unsupported';
    this.remedy = remedy;
  }
}

/** A node that cannot be compiled, and why. */
export interface UnsupportedNode {
  readonly node: string;
  readonly type: string;
  readonly what: string;
  readonly remedy?: string | undefined;
}

/** How many nodes the report lists. */
const MAX_LISTED = 20;

/** How many remedies it gives. */
export const MAX_REMEDIES = 3;

/** One error for all nodes that cannot be compiled: a count by type, then a line per node. */
export function unsupportedError(list: readonly UnsupportedNode[], file: string | undefined): QcError {
  const counts = new Map<string, number>();
  for (const { type } of list) counts.set(type, (counts.get(type) ?? 0) + 1);
  const summary = [...counts].map(([type, n]) => (n === 1 ? type : `${type} x${n}`));
  const lines = list.slice(0, MAX_LISTED).map(({ node, what }) => `  ${node}: ${what}`);
  if (list.length > MAX_LISTED) lines.push(`  ... and ${list.length - MAX_LISTED} more`);
  const head = `${list.length} ${list.length === 1 ? 'node is' : 'nodes are'} not supported: ${clip(summary)}`;
  const remedies = [...new Set(list.flatMap(({ remedy }) => (remedy === undefined ? [] : [remedy])))];
  const remedy =
    remedies.length > 0 ? remedies.slice(0, MAX_REMEDIES).join(' ') : 'Export the model without these operators.';
  return modelError([head, ...lines].join('\n'), { ...(file === undefined ? {} : { file }), remedy });
}

const clip = (words: readonly string[]): string =>
  words.length > MAX_LISTED ? `${words.slice(0, MAX_LISTED).join(', ')}, ...` : words.join(', ');
