import type { ModuleInfo, OpInfo } from './runtime/abi.js';

/** One difference of two modules: of an op, or of the module as a whole where `op` is null. */
export interface ModuleDifference {
  readonly op: { readonly id: number; readonly type: string } | null;
  readonly what: string;
  readonly before: string;
  readonly after: string;
}

const placed = (op: OpInfo): string => (op.int8 ? 'int8' : `float${op.reason ? `: ${op.reason}` : ''}`);

const fusedText = (op: OpInfo): string => (op.fused ?? []).map((f) => `${f.type} (${f.id})`).join(', ') || 'nothing';

/** What two descriptions of modules say differently. Ops are the same where their ids and types are. */
export function diffModules(a: ModuleInfo, b: ModuleInfo): ModuleDifference[] {
  const found: ModuleDifference[] = [];
  const compare = (op: ModuleDifference['op'], what: string, before: string, after: string): void => {
    if (before !== after) found.push({ op, what, before, after });
  };
  compare(null, 'model', a.hashes.model, b.hashes.model);
  compare(null, 'compiler', a.compiler, b.compiler);
  compare(null, 'target', a.target, b.target);
  compare(null, 'weights in bytes', String(a.memory.weights), String(b.memory.weights));
  compare(null, 'activations in bytes', String(a.memory.activations), String(b.memory.activations));
  compare(null, 'memory in bytes', String(a.memory.bytes), String(b.memory.bytes));
  for (const way of ['inputs', 'outputs'] as const) {
    const text = (info: ModuleInfo): string =>
      (info.entries[0]?.[way] ?? []).map((t) => `${t.name}: ${t.dtype}[${t.shape.join('x')}]`).join(', ');
    compare(null, way, text(a), text(b));
  }
  compareOps(a.ops, b.ops, compare);
  return found;
}

function compareOps(
  before: readonly OpInfo[],
  after: readonly OpInfo[],
  compare: (op: ModuleDifference['op'], what: string, before: string, after: string) => void,
): void {
  const key = ({ id, type }: OpInfo): string => `${type} ${id}`;
  const old = new Map(before.map((op) => [key(op), op]));
  const now = new Map(after.map((op) => [key(op), op]));
  for (const name of new Set([...old.keys(), ...now.keys()])) {
    const [x, y] = [old.get(name), now.get(name)];
    const { id, type } = (x ?? y) as OpInfo;
    const op = { id, type };
    if (!x || !y) {
      compare(op, 'op', x ? 'there' : 'not there', y ? 'there' : 'not there');
      continue;
    }
    compare(op, 'computes in', placed(x), placed(y));
    compare(op, 'fused', fusedText(x), fusedText(y));
    compare(op, 'output', x.outputs.join(', '), y.outputs.join(', '));
    compare(op, 'kernel', x.kernel ?? 'none', y.kernel ?? 'none');
  }
}

/** A difference as a line of text. */
export const moduleDifferenceText = ({ op, what, before, after }: ModuleDifference): string =>
  `${op ? `${op.type} (${op.id}) ` : ''}${what}: ${before} -> ${after}`;
