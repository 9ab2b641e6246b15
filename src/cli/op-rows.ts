import { isConversion } from '../describe-ops.js';
import type { Partition } from '../describe-partitions.js';
import type { Explanation, OpExplanation } from '../explain.js';
import type { OpInfo } from '../runtime/abi.js';
import { alignColumns, resultColors } from './terminal.js';

/** What else there is to say about an op: why it is float or who needs it, what it took in, its names in the model. */
function remarks({ reason, neededBy, fused, name, scaleOf }: OpInfo, explained: OpExplanation | undefined): string {
  const scale = scaleOf?.output === undefined ? undefined : `scale: ${scaleOf.output}`;
  const weights = scaleOf?.weights === undefined ? undefined : `weights: ${scaleOf.weights}`;
  const names = explained ? explained.sources : name === '' ? [] : [name];
  const need = neededBy === undefined ? undefined : `for ${neededBy}`;
  const parts = [reason, need, ...(fused ?? []).map((f) => `+ ${f.type} (${f.id})`), ...names.map((n) => `"${n}"`)];
  return [...parts, scale, weights].filter(Boolean).join('  ');
}

/** The pass that made an op, with its rule where it has several; empty where the op stands as in the file. */
function makerText(explained: OpExplanation | undefined): string {
  const by = explained?.madeBy;
  if (!by) return '';
  return by.rule === by.pass ? by.pass : `${by.pass}/${by.rule}`;
}

/** The table of ops; `explanation` is there where the model was compiled just now. */
export function opRows(ops: readonly OpInfo[], explanation: Explanation | undefined): string[] {
  const explained = new Map(explanation?.ops.map((op) => [op.id, op]));
  const kind = (op: OpInfo): string => (isConversion(op) ? '-' : op.int8 ? 'int8' : 'float');
  const rows = ops.map((op) => [
    String(op.id),
    op.type,
    kind(op),
    op.region === undefined ? '' : String(op.region),
    op.outputs.join(', '),
    op.kernel ?? '',
    ...(explanation ? [makerText(explained.get(op.id))] : []),
    remarks(op, explained.get(op.id)),
  ]);
  const titles = ['id', 'type', 'in', 'region', 'output', 'kernel', ...(explanation ? ['made by'] : []), ''];
  const [head, ...lines] = alignColumns([titles, ...rows], [0, 3]);
  const paint = (line: string, op: OpInfo): string =>
    isConversion(op) ? resultColors.dim(line) : op.int8 ? line : resultColors.yellow(line);
  return [resultColors.bold(head as string), ...lines.map((line, i) => paint(line, ops[i] as OpInfo))];
}

const count = (n: number, word: string): string => `${n} ${word}${n === 1 ? '' : 's'}`;

/** `35 conv2d, 17 depthwise_conv2d`. */
function typesText(types: Readonly<Record<string, number>>): string {
  const sorted = Object.entries(types).sort(([, a], [, b]) => b - a);
  return sorted.map(([type, n]) => `${n} ${type}`).join(', ');
}

function partitionRows({ region, types, inputs, outputs, conversions }: Partition): string[] {
  const { quantize, dequantize, requantize, elements } = conversions;
  const converting = `${quantize} quantize, ${dequantize} dequantize, ${requantize} requantize`;
  const border = (way: string, { name, type, other }: Partition['inputs'][number]): string =>
    `  ${way} "${name}" ${type}, ${way === 'in ' ? 'from' : 'to'} ${other.join(', ')}`;
  return [
    `${resultColors.bold(`region ${region}`)}  ${typesText(types)}; ${converting}: ${count(elements, 'element')} converted`,
    ...inputs.map((value) => border('in ', value)),
    ...outputs.map((value) => border('out', value)),
  ];
}

/** The int8 regions with their borders, and what the cost model decided. */
export function regionRows({ partitions, decisions }: Explanation): string[] {
  const ids = (list: readonly number[]): string =>
    list.length > 8 ? `${list.slice(0, 8).join(', ')} and ${list.length - 8} more` : list.join(', ');
  const decided = decisions.map(
    ({ ops, int8, why }) => `  ${int8 ? 'int8 ' : 'float'} ${count(ops.length, 'op')} (${ids(ops)}): ${why}`,
  );
  return [
    ...partitions.flatMap(partitionRows),
    ...(decided.length > 0 ? [resultColors.bold('cost model'), ...decided] : []),
  ];
}
