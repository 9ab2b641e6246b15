import type { CodeRange, Node } from '../../ir/graph.js';
import type { Tensor } from '../../ir/tensor.js';
import type { TensorType } from '../../ir/type.js';
import { assert } from '../../support/errors.js';
import type { Isa, KernelDef } from '../kernel.js';
import type { PackedWeights } from '../kernels/packed-weights.js';
import type { Arg, LayoutNeed, LowerContext, Ref, View, WeightMaker } from '../lowering.js';
import type { Planner } from './planner.js';

/** The planner as the lowering of one node sees it. */
export class NodeContext implements LowerContext {
  readonly node: Node;
  readonly target: Isa;
  readonly sharesWeights: boolean;
  private readonly planner: Planner;
  private readonly made = new Map<number, View>();
  private tasks = 0;

  constructor(planner: Planner, node: Node) {
    this.planner = planner;
    this.node = node;
    this.target = planner.target;
    this.sharesWeights = planner.sharesWeights;
  }

  private idOf(slot: number): number {
    const id = this.node.inputs[slot];
    assert(id !== undefined && id !== null, `${this.node.op} (${this.node.id}) has no input ${slot}`);
    return id;
  }

  hasInput(slot: number): boolean {
    return this.node.inputs[slot] !== undefined && this.node.inputs[slot] !== null;
  }

  inputType(slot: number): TensorType {
    return this.planner.graph.value(this.idOf(slot)).type;
  }

  outputType(index = 0): TensorType {
    return this.planner.graph.output(this.node, index).type;
  }

  range(slot: number): CodeRange | null {
    return this.planner.graph.value(this.idOf(slot)).range ?? null;
  }

  constant(slot: number): Tensor | null {
    return this.planner.graph.value(this.idOf(slot)).data ?? null;
  }

  input(slot: number, need: LayoutNeed = {}): View {
    return this.planner.viewFor(this.idOf(slot), need, this.node.id);
  }

  output(index = 0): View {
    const known = this.made.get(index);
    if (known) return known;
    const view = this.planner.allocate(this.planner.graph.output(this.node, index).id, this.node.id);
    this.made.set(index, view);
    return view;
  }

  outputOver(...slots: readonly number[]): View {
    const id = this.planner.graph.output(this.node, 0).id;
    for (const slot of this.made.has(0) ? [] : slots) {
      const view = this.planner.reuse(id, this.node, slot);
      if (view) this.made.set(0, view);
      if (view) break;
    }
    return this.output();
  }

  alias(view: View, index = 0): void {
    this.planner.setView(this.planner.graph.output(this.node, index).id, view);
  }

  data(content: Float32Array | Int32Array | Int16Array | BigInt64Array): Ref {
    return this.planner.data.add(content, `${this.node.op} (${this.node.id})`);
  }

  weights(packed: PackedWeights): Ref {
    return this.planner.data.addWeights(packed);
  }

  transformedWeights(packed: Int16Array | Float32Array, bytes: number, make: WeightMaker): Ref | null {
    return this.planner.data.addTransformed(packed, bytes, make);
  }

  prepared(content: Int16Array, bytes: number, make: WeightMaker): Ref {
    return this.planner.data.addPrepared(content, bytes, make);
  }

  scratch(bytes: number, use: 'node' | 'task' = 'node'): Ref {
    return this.planner.scratch(bytes, use === 'task');
  }

  task(): void {
    this.tasks++;
  }

  call<P extends object>(kernel: KernelDef<P>, params: P, args: readonly Arg[]): void {
    this.planner.call(kernel, params, args, this.node.id, this.tasks);
  }
}
