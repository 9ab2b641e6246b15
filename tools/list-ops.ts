/**
 * Prints the table of docs/ops.md: every op, the ONNX and Paddle types that become it, and what it is in int8. A test compares.
 * Usage: tsx tools/list-ops.ts
 */
import { pathToFileURL } from 'node:url';
import type { QuantClass } from '../src/ir/op.js';
import { bareType, ONNX_ALIASES, OPS } from '../src/ops/index.js';
import type { Op } from '../src/ops/op.js';

const INT8: Readonly<Record<QuantClass, string>> = {
  'float-only': '',
  'same-params': 'moves codes',
  requantizes: 'integer arithmetic',
  table: 'table',
  boundary: 'border',
};

/** The ONNX types that become an op or are made with it. */
function typesOf(name: string): string[] {
  const own = Object.keys(OPS.get(name)?.onnx ?? {}).map(bareType);
  const through = [...ONNX_ALIASES].filter(([, names]) => names.includes(name)).map(([type]) => type);
  return [...new Set([...own, ...through])].sort();
}

/** The Paddle types that the op's file reads. */
const paddleTypes = (op: Op): string[] => Object.keys(op.paddle ?? {}).sort();

/** The table as Markdown. */
export function opsTable(): string {
  const rows = [...OPS.values()]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(
      (op) =>
        `| ${op.name} | ${typesOf(op.name).join(', ')} | ${paddleTypes(op).join(', ')} | ${INT8[op.quant]} | ${op.doc.replaceAll('|', '\\|')} |`,
    );
  return ['| op | ONNX | Paddle | int8 | meaning |', '|---|---|---|---|---|', ...rows].join('\n');
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) console.log(opsTable());
