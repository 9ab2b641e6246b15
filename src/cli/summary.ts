import { isConversion } from '../describe-ops.js';
import type { ModuleInfo, OpInfo, TensorInfo } from '../runtime/abi.js';
import { formatBytes } from './terminal.js';

/** How many ops compute in which way. */
function countOps(ops: readonly OpInfo[]): { int8: number; float: number; conversions: number } {
  const conversions = ops.filter(isConversion).length;
  const int8 = ops.filter((op) => op.int8 && !isConversion(op)).length;
  return { int8, float: ops.length - conversions - int8, conversions };
}

/** The counts in words. */
export function opsText(ops: readonly OpInfo[]): string {
  const { int8, float, conversions } = countOps(ops);
  return `${int8} int8, ${float} float${conversions ? `, ${conversions} conversion${conversions > 1 ? 's' : ''}` : ''}`;
}

/** The ops that stay in float, one line for each reason. */
export function floatReasons(ops: readonly OpInfo[]): string[] {
  const groups = new Map<string, OpInfo[]>();
  for (const op of ops.filter((o) => !o.int8 && !isConversion(o))) {
    const reason = op.reason ?? 'no reason recorded';
    groups.set(reason, [...(groups.get(reason) ?? []), op]);
  }
  return [...groups].map(([reason, list]) => {
    const shown = list.slice(0, 4).map((op) => `${op.type} (${op.id})`);
    const more = list.length > 4 ? ` and ${list.length - 4} more` : '';
    return `${shown.join(', ')}${more}: ${reason}`;
  });
}

/** Memory in words. */
export const memoryText = ({ memory }: ModuleInfo): string =>
  `${formatBytes(memory.bytes)}: weights ${formatBytes(memory.weights)}, activations ${formatBytes(memory.activations)}`;

/** A tensor in words. */
export function tensorText({ name, dtype, shape, scale, zeroPoint }: TensorInfo): string {
  const grid = scale === undefined ? '' : `, scale ${Number(scale.toPrecision(6))}, zero point ${zeroPoint ?? 0}`;
  return `${name}: ${dtype} [${shape.join(', ')}]${grid}`;
}
