import type { Value } from '../../ir/graph.js';
import { numbers, type Tensor } from '../../ir/tensor.js';
import type { PaddleAttrs, PaddleContext, PlainCodes } from '../../ops/import-context.js';
import { modelError } from '../../support/errors.js';
import { quoted } from '../names.js';
import { NodeBuilder } from '../node-builder.js';
import type { Scope } from '../scope.js';
import { paddleAttrs } from './attributes.js';
import type { OpDesc } from './proto.js';

/** Shapes, axes, bounds and the like are short lists. */
const MAX_PARAMETERS = 2 ** 16;

/** The slots that ops give their main result in. */
const MAIN_SLOTS = ['Out', 'Output', 'Y'] as const;

/** The slot of an op's main result, or undefined where it names none. */
export const mainSlot = ({ outputs }: OpDesc): string | undefined =>
  MAIN_SLOTS.find((slot) => (outputs.get(slot)?.length ?? 0) > 0);

/** The names that an op gives its results, the main ones first. */
export function outputNames(op: OpDesc): string[] {
  const main = mainSlot(op);
  const others = [...op.outputs].filter(([slot]) => slot !== main).flatMap(([, names]) => names);
  return [...(main ? (op.outputs.get(main) ?? []) : []), ...others];
}

/** The import of one op of a Paddle program. */
export class OpContext extends NodeBuilder implements PaddleContext {
  readonly attrs: PaddleAttrs;
  private readonly op: OpDesc;
  private readonly read: ReadonlySet<string>;

  /** `read` are the variables that an op after this one reads before they are written again. */
  constructor(op: OpDesc, id: number, scope: Scope, read: ReadonlySet<string>) {
    super({ id, type: op.type, name: outputNames(op)[0] ?? '', outputs: outputNames(op) }, scope);
    this.op = op;
    this.attrs = paddleAttrs(op);
    this.read = read;
  }

  input(slot: string): Value {
    const value = this.optional(slot);
    if (!value) throw modelError(`the operand ${slot} is missing`);
    return value;
  }

  optional(slot: string): Value | null {
    const name = this.op.inputs.get(slot)?.[0];
    return name === undefined ? null : this.named(name);
  }

  list(slot: string): Value[] {
    return (this.op.inputs.get(slot) ?? []).map((name) => this.named(name));
  }

  constant(slot: string): Tensor {
    return this.constantOf(this.input(slot), slot);
  }

  numbers(slot: string): number[] | null {
    const values = this.list(slot);
    if (values.length === 0) return null;
    return values.flatMap((value) => {
      const tensor = this.constantOf(value, slot);
      if (tensor.data.length > MAX_PARAMETERS) throw modelError(`${slot} holds ${tensor.data.length} numbers`);
      return numbers(tensor);
    });
  }

  outputCount(slot: string): number {
    return this.op.outputs.get(slot)?.length ?? 0;
  }

  isRead(slot: string): boolean {
    return (this.op.outputs.get(slot) ?? []).some((name) => this.read.has(name));
  }

  noteCodes(value: Value, codes: PlainCodes): void {
    this.scope.plainCodes.set(value, codes);
  }

  codesOf(value: Value): PlainCodes | null {
    const found = this.scope.plainCodes.get(value);
    return found ? { ...found, real: this.scope.settled(found.real) } : null;
  }

  private named(name: string): Value {
    if (!this.scope.has(name)) throw modelError(`it reads ${quoted(name)}, which nothing makes`);
    return this.scope.get(name);
  }

  private constantOf({ data, name }: Value, slot: string): Tensor {
    return data ?? this.unsupported(`${slot} (${quoted(name)}) is computed by the network, it must be constant`);
  }
}
