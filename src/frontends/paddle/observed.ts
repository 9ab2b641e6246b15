import type { PaddleAttrs } from '../../ops/import-context.js';
import type { Scope } from '../scope.js';
import type { OpDesc } from './proto.js';

/** Records what an op's attributes say about quantization: thresholds of its operands and results, and that it is left out. */
export function noteQuantization(op: OpDesc, id: number, scope: Scope, attrs: PaddleAttrs): void {
  if (attrs.has('skip_quant') && attrs.bool('skip_quant')) scope.graph.keptFloat.set(id, 'skip_quant in the model');
  const sides = [op.inputs, op.outputs];
  for (const side of sides)
    for (const [slot, names] of side)
      names.forEach((name, i) => {
        const attr = [`${slot}${i}_threshold`, side === op.outputs ? 'out_threshold' : ''].find((a) => attrs.has(a));
        if (attr) observe(scope, name, attrs, attr, `${attr} of ${op.type} (${id})`);
      });
}

function observe(scope: Scope, name: string, attrs: PaddleAttrs, attr: string, source: string): void {
  const values = attrs.floats(attr);
  const [threshold] = values;
  if (values.length !== 1 || !scope.has(name) || threshold === undefined) return;
  const value = scope.get(name);
  if (value.data || value.id < 0 || !(threshold > 0 && Number.isFinite(threshold))) return;
  // Thresholds of slots say more than those of an op.
  if (value.observed && attr === 'out_threshold') return;
  if (value.observed && !value.observed.source.startsWith('out_threshold')) return;
  value.observed = { threshold, source };
}
