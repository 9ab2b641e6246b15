import type { Attrs, Node, Value } from '../ir/graph.js';
import type { Tensor } from '../ir/tensor.js';
import type { DType } from '../ir/type.js';
import type { GraphBuilder } from '../ops/import-context.js';
import { OPS } from '../ops/index.js';
import { assert } from '../support/errors.js';
import { checkTypes, foldNode, takesIntegers } from './fold.js';
import type { Draft, Scope } from './scope.js';
import { Unsupported } from './unsupported.js';

/** A node that the importer asked for; it enters the graph when the importer is done. */
interface PendingNode {
  readonly op: string;
  readonly attrs: Attrs;
  readonly inputs: readonly (Value | null)[];
  readonly outputs: readonly Draft[];
}

/** What a node of the source is called. */
export interface SourceNode {
  /** Index in the source file's list. */
  readonly id: number;
  readonly type: string;
  readonly name: string;
  /** The names of its outputs; empty where absent. */
  readonly outputs: readonly string[];
}

/**
 * The import of one node. Nodes are kept back until the importer has returned: only then is it known which value has
 * which name of the source, and an importer that gives up leaves nothing behind.
 */
export class NodeBuilder implements GraphBuilder {
  readonly type: string;
  protected readonly scope: Scope;
  protected readonly origin: SourceNode;
  private readonly pending: PendingNode[] = [];
  private readonly created = new Set<Value>();
  /** How many of the pending nodes only prepare operands. */
  private prepared = 0;

  constructor(origin: SourceNode, scope: Scope) {
    this.origin = origin;
    this.type = origin.type;
    this.scope = scope;
  }

  add(op: string, attrs: Attrs, inputs: readonly (Value | null)[]): Value {
    const [first] = this.addMany(op, attrs, inputs);
    assert(first, `${op} has no output`);
    return first;
  }

  addMany(op: string, attrs: Attrs, inputs: readonly (Value | null)[]): Value[] {
    const def = OPS.get(op);
    assert(def, `the importer of ${this.type} adds ${op}, which is no op`);
    const types = def.infer(
      attrs,
      inputs.map((v) => v && (v.data ? { type: v.type, data: v.data } : { type: v.type })),
    );
    checkTypes(types);
    const integers = takesIntegers(def, inputs, types);
    if (integers) this.unsupported(`${this.type} of ${integers.type.dtype} values`, 'Use float values.');
    const folded = foldNode(def, attrs, inputs, types, this.scope.budget);
    const outputs = types.map((type, i) => this.create(op, type, folded?.[i]));
    if (!folded) this.pending.push({ op, attrs, inputs, outputs });
    return outputs;
  }

  operandsReady(): void {
    this.prepared = this.pending.length;
  }

  literal(name: string, data: Tensor): Value {
    checkTypes([data.type]);
    return this.create(name, data.type, data);
  }

  cast(value: Value, dtype: DType): Value {
    if (value.type.dtype === dtype) return value;
    if (!value.data) return this.unsupported(`a computed value of type ${value.type.dtype} where ${dtype} is needed`);
    return this.add('cast', { to: dtype }, [value]);
  }

  unsupported(what: string, remedy?: string): never {
    throw new Unsupported(what, remedy);
  }

  private create(name: string, type: Draft['type'], data?: Tensor): Draft {
    const draft = this.scope.draft(name, type, data);
    this.created.add(draft);
    return draft;
  }

  /**
   * Puts the nodes into the graph and returns the results (absent ones stay so) under the names that the source gives them. The source id
   * goes to the first node that computes: quantizing operands and results around it is not what the user means by it.
   */
  finish(results: readonly (Value | undefined)[]): (Value | undefined)[] {
    results.forEach((value, i) => {
      const name = this.origin.outputs[i];
      // A draft that is the result twice keeps the first name.
      if (name && value && this.created.delete(value)) (value as Draft).name = name;
    });
    const computing = this.pending.slice(this.prepared).find(({ op }) => OPS.get(op)?.quant !== 'boundary');
    const main = computing ?? this.pending.find(({ op }) => OPS.get(op)?.quant !== 'boundary') ?? this.pending[0];
    for (const pending of this.pending) this.enter(pending, pending === main);
    if (this.pending.length === 0) this.recordFolding(results);
    return results.map((value) => value && this.scope.settled(value));
  }

  private enter({ op, attrs, inputs, outputs }: PendingNode, isMain: boolean): Node {
    const { graph } = this.scope;
    const base = this.origin.outputs.find((name) => name !== '') ?? `${this.type}_${this.origin.id}`;
    const node = graph.addNode({
      ...(isMain ? { id: this.origin.id } : {}),
      op,
      attrs,
      inputs: inputs.map((v) => v && this.scope.enter(v).id),
      outputs: outputs.map((draft) => ({
        type: draft.type,
        name: this.created.has(draft) ? this.scope.freeName(`${base}/${op}`) : draft.name,
      })),
      origin: { name: this.origin.name, type: this.type },
    });
    outputs.forEach((draft, i) => {
      this.scope.settle(draft, graph.output(node, i));
    });
    return node;
  }

  private recordFolding(results: readonly (Value | undefined)[]): void {
    const how = results.every((v) => v?.data) ? 'its result is constant' : 'it passes its input through';
    this.scope.graph.folded.set(this.origin.id, { op: this.type, host: null, how });
  }
}
