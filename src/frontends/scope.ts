import type { Graph, Value } from '../ir/graph.js';
import type { Tensor, TensorData } from '../ir/tensor.js';
import { sameType, type TensorType } from '../ir/type.js';
import type { PlainCodes } from '../ops/import-context.js';
import { assert } from '../support/errors.js';
import { FoldBudget } from './fold.js';

/** A value that is not in the graph yet: its id is negative, its name may still change. */
export interface Draft extends Value {
  name: string;
}

/**
 * The values of the source by name, while the graph is being made. Constants enter the graph when a node reads them, so
 * that those which only gave a shape or were given a grid leave nothing behind, and names stay those of the source.
 */
export class Scope {
  readonly graph: Graph;
  /** What may still be computed from constants. */
  readonly budget = new FoldBudget();
  private readonly values = new Map<string, Value>();
  /** Constants of the source that nobody has read yet. */
  private readonly lazy = new Map<string, () => Tensor>();
  /** Names whose values could not be made, because the node that makes them is not supported. */
  private readonly lost = new Set<string>();
  private readonly inGraph = new Map<Value, Value>();
  /** The constants of the graph by their data, so that a weight that is read twice stays one. */
  private readonly entered = new Map<TensorData, Value[]>();
  private readonly taken: ReadonlySet<string>;
  /** Values that hold codes of others as plain numbers. */
  readonly plainCodes = new Map<Value, PlainCodes>();
  private nextDraft = -1;

  /** `taken` are the names of the source that only their own values may have. */
  constructor(graph: Graph, taken: ReadonlySet<string>) {
    this.graph = graph;
    this.taken = taken;
  }

  /** A value that enters the graph later. */
  draft(name: string, type: TensorType, data?: Tensor): Draft {
    const id = this.nextDraft--;
    return data ? { id, name, type, data } : { id, name, type };
  }

  define(name: string, value: Value): void {
    this.values.set(name, value);
  }

  /** A constant that is read from the file when somebody asks for it. */
  defineLazily(name: string, read: () => Tensor): void {
    this.lazy.set(name, read);
  }

  /** Declares that a value cannot be made. */
  lose(name: string): void {
    this.lost.add(name);
  }

  isLost(name: string): boolean {
    return this.lost.has(name);
  }

  has(name: string): boolean {
    return this.values.has(name) || this.lazy.has(name);
  }

  /** The value of a name that `has` knows. */
  get(name: string): Value {
    const known = this.values.get(name);
    if (known) return known;
    const data = this.lazy.get(name)?.();
    assert(data, `no value "${name}"`);
    const value = this.draft(name, data.type, data);
    this.values.set(name, value);
    return value;
  }

  /** Says which value of the graph a draft has become. */
  settle(draft: Value, value: Value): void {
    this.inGraph.set(draft, value);
    const codes = this.plainCodes.get(draft);
    if (codes) this.plainCodes.set(value, codes);
  }

  /** What a value has become so far: constants stay drafts until a node reads them. */
  settled(value: Value): Value {
    return this.inGraph.get(value) ?? value;
  }

  /** The value in the graph; a constant enters it now. */
  enter(value: Value): Value {
    const known = this.settled(value);
    if (known.id >= 0) return known;
    assert(known.data, `"${known.name}" was never made`);
    const { type, data: tensor } = known;
    const shared = this.entered.get(tensor.data)?.find((other) => sameType(other.type, type));
    const entered = shared ?? this.addConstant(known, { type, data: tensor.data });
    this.settle(value, entered);
    return entered;
  }

  private addConstant(known: Value, tensor: Tensor): Value {
    const value = this.graph.addConstant(this.freeName(known.name, known), tensor);
    this.entered.set(tensor.data, [...(this.entered.get(tensor.data) ?? []), value]);
    return value;
  }

  /** A name that no other value of the source needs: constants may share the name of the constant they came from. */
  freeName(wanted: string, value?: Value): string {
    const owner = this.values.get(wanted);
    const free = !this.taken.has(wanted) || owner === value || (owner !== undefined && owner.data !== undefined);
    return free ? wanted : this.freeName(`${wanted}'`, value);
  }
}
