import { assert } from '../support/errors.js';
import type { Tensor } from './tensor.js';
import { sizeOf, type TensorType } from './type.js';

/** Attributes are plain JSON, so that the text form can print them and read them back. */
export type AttrValue = number | string | boolean | null | readonly AttrValue[] | { readonly [key: string]: AttrValue };
/** The attributes of a node by name. */
export type Attrs = { readonly [key: string]: AttrValue };

/** Centred codes (code - zeroPoint) that a value is proven to hold: lo <= code <= hi, and why in a few words. */
export interface CodeRange {
  readonly lo: number;
  readonly hi: number;
  readonly proof: string;
}

/** What the model observed of a value's range, apart from fake quantization: a scale that may be inferred from it. */
export interface ObservedRange {
  /** The greatest magnitude. */
  readonly threshold: number;
  /** Where the model says so, in words for the user. */
  readonly source: string;
}

/** An SSA value: a graph input, a constant (`data`) or one output of a node. */
export interface Value {
  readonly id: number;
  /** The name in the source model; unique in the graph. */
  readonly name: string;
  type: TensorType;
  readonly data?: Tensor;
  /** Where its grid comes from, in words for the user. */
  gridSource?: string;
  observed?: ObservedRange;
  /** Set by analyze-ranges on 8-bit codes. */
  range?: CodeRange;
}

/** Whether a node computes in int8; set by quantize-placement. `reason` says why not, in words for the user. */
export interface Placement {
  readonly int8: boolean;
  readonly reason?: string;
  /** The user asked for float (skipped or not selected): the model's rounding of the output is dropped too. */
  readonly byUser?: boolean;
}

/** Where a node comes from in the source model. */
export interface Origin {
  /** Node name in the source file, possibly empty. */
  readonly name: string;
  /** Op type in the source file. */
  readonly type: string;
}

/** One op of the graph. */
export interface Node {
  /** Index of the op in the source file's list; inserted nodes count on from there. */
  id: number;
  /** Name of the op definition (Paddle's op type names). */
  op: string;
  attrs: Attrs;
  /** Value ids; null where an optional input is absent. */
  inputs: (number | null)[];
  outputs: number[];
  origin: Origin;
  /** Nodes that were fused into this one, in the order of fusion. */
  fused: { readonly id: number; readonly op: string }[];
  placement?: Placement;
  /** The int8 region it belongs to, numbered from 1; set by partition. */
  region?: number;
}

/**
 * A value that is shown besides the outputs, as it stands at the end (codes, reals on a grid, reals). `kept` keeps it
 * from being fused away; `passive` changes nothing and goes where the value goes.
 */
export type Tap = 'kept' | 'passive';

/** A value that leaves the graph, and the name that the caller sees. */
export interface Output {
  value: number;
  readonly name: string;
  readonly tap?: Tap;
}

/** What a pass did to a node or a value, for people who want to know how it came to be. */
export interface Change {
  /** Number of the pass in the pipeline, from 1; 0 outside of one. */
  readonly step: number;
  readonly pass: string;
  /** The rule that acted; the pass itself where it has only one. */
  readonly rule: string;
  readonly what: 'added' | 'rewritten' | 'fused' | 'removed' | 'rewired' | 'retyped' | 'placed';
  /** The node that changed, held itself because ids may be exchanged; null for a change of a value. */
  readonly node: Node | null;
  readonly value: number | null;
  /** What exactly, in a few words. */
  readonly detail: string;
}

/** What was decided about a region of nodes that could be int8, for people. */
export interface RegionDecision {
  readonly nodes: readonly Node[];
  readonly int8: boolean;
  readonly why: string;
  /** How many values would be converted at the borders of the region, and their elements. */
  readonly borders: number;
  readonly elements: number;
}

/** What a node is made of when it is added. */
export interface NodeInit {
  readonly id?: number;
  readonly op: string;
  readonly attrs?: Attrs;
  readonly inputs: readonly (number | null)[];
  readonly outputs: readonly { readonly name?: string; readonly type: TensorType }[];
  readonly origin?: Origin;
}

/** What a model file says about itself, for files that are written from it. */
export interface About {
  readonly doc: string;
  readonly graphDoc: string;
  readonly domain: string;
  readonly version: number;
  readonly metadata: readonly { readonly key: string; readonly value: string }[];
  /** Operator sets besides ONNX's own. */
  readonly opsets: readonly { readonly domain: string; readonly version: number }[];
  /** What is said of inputs and outputs, by name. */
  readonly docs: ReadonlyMap<string, string>;
}

/**
 * A network in SSA form. `nodes` is kept in execution order: a node's inputs are graph inputs, constants or
 * outputs of nodes before it. Passes edit it only through patches (patch.ts), which check types.
 */
export class Graph {
  readonly name: string;
  about: About | null = null;
  readonly values = new Map<number, Value>();
  readonly inputs: number[] = [];
  /** The outputs of the model, then the taps. */
  readonly outputs: Output[] = [];
  nodes: Node[] = [];
  /** Source ids that no longer have a node of their own, and why: `--op-ids-to-skip` explains itself with it. */
  readonly folded = new Map<number, { readonly op: string; readonly host: number | null; readonly how: string }>();
  /** What passes did, in order; patches write it. */
  readonly history: Change[] = [];
  /** The regions that could be int8, and whether they are; set by quantize-placement. */
  readonly decisions: RegionDecision[] = [];
  /** Source ids that the model itself leaves in float, and its words for it. */
  readonly keptFloat = new Map<number, string>();
  /** Names of ops that a node had before it was rewritten, by node id: users know it by these too. */
  readonly formerOps = new Map<number, Set<string>>();
  private nextValue = 0;
  private nextNode = 0;
  private readonly names = new Set<string>();

  constructor(name: string) {
    this.name = name;
  }

  /** A copy whose nodes and values can change apart from these; tensors and types are shared. */
  clone(): Graph {
    const copy = new Graph(this.name);
    copy.about = this.about;
    for (const [id, value] of this.values) copy.values.set(id, { ...value });
    copy.inputs.push(...this.inputs);
    copy.outputs.push(...this.outputs.map((output) => ({ ...output })));
    copy.nodes = this.nodes.map((node) => ({
      ...node,
      inputs: [...node.inputs],
      outputs: [...node.outputs],
      fused: [...node.fused],
    }));
    for (const [id, entry] of this.folded) copy.folded.set(id, entry);
    copy.history.push(...this.history);
    copy.decisions.push(...this.decisions);
    copy.nextValue = this.nextValue;
    copy.nextNode = this.nextNode;
    for (const name of this.names) copy.names.add(name);
    return copy;
  }

  /** Declares that ids below `n` belong to the source file. */
  reserveIds(n: number): void {
    this.nextNode = Math.max(this.nextNode, n);
  }

  private uniqueName(wanted: string): string {
    let name = wanted;
    for (let i = 1; this.names.has(name); i++) name = `${wanted}#${i}`;
    this.names.add(name);
    return name;
  }

  private addValue(name: string, type: TensorType, data?: Tensor): Value {
    const id = this.nextValue++;
    const value: Value = data
      ? { id, name: this.uniqueName(name), type, data }
      : { id, name: this.uniqueName(name), type };
    this.values.set(id, value);
    return value;
  }

  /** Adds a graph input. */
  addInput(name: string, type: TensorType): Value {
    const value = this.addValue(name, type);
    this.inputs.push(value.id);
    return value;
  }

  /** Adds a constant; its type is the tensor's. */
  addConstant(name: string, data: Tensor): Value {
    assert(data.data.length === sizeOf(data.type.shape), `constant ${name} does not fill its shape`);
    return this.addValue(name, data.type, data);
  }

  /** Makes a value an output of the graph under a name, or taps it. */
  addOutput(value: number, name: string, tap?: Tap): void {
    this.outputs.push({ value, name, ...(tap ? { tap } : {}) });
  }

  /** Creates a node with its output values; `before` places it in front of another node, else it comes last. */
  addNode(init: NodeInit, before?: Node): Node {
    const id = init.id ?? this.nextNode;
    this.nextNode = Math.max(this.nextNode, id + 1);
    const origin = init.origin ?? { name: '', type: init.op };
    const outputs = init.outputs.map((o, i) => this.addValue(o.name ?? `${init.op}_${id}_${i}`, o.type).id);
    const node: Node = {
      id,
      op: init.op,
      attrs: init.attrs ?? {},
      inputs: [...init.inputs],
      outputs,
      origin,
      fused: [],
    };
    const at = before ? this.nodes.indexOf(before) : this.nodes.length;
    assert(at >= 0, 'addNode: no such node to insert before');
    this.nodes.splice(at, 0, node);
    return node;
  }

  /** The value with an id. */
  value(id: number): Value {
    const value = this.values.get(id);
    assert(value, `no value %${id}`);
    return value;
  }

  /** Input `i` of a node as a value; throws if it is absent. */
  input(node: Node, i: number): Value {
    const id = node.inputs[i];
    assert(id !== undefined && id !== null, `${node.op} (${node.id}) has no input ${i}`);
    return this.value(id);
  }

  /** Input `i` of a node as a value, or undefined where it is absent. */
  optionalInput(node: Node, i: number): Value | undefined {
    const id = node.inputs[i];
    return id === undefined || id === null ? undefined : this.value(id);
  }

  /** Output `i` of a node. */
  output(node: Node, i = 0): Value {
    const id = node.outputs[i];
    assert(id !== undefined, `${node.op} (${node.id}) has no output ${i}`);
    return this.value(id);
  }

  /** The node that produces each value; inputs and constants have none. */
  producers(): Map<number, Node> {
    const map = new Map<number, Node>();
    for (const node of this.nodes) for (const out of node.outputs) map.set(out, node);
    return map;
  }

  /** The nodes that read each value, once per input slot, in execution order. */
  consumers(): Map<number, { readonly node: Node; readonly slot: number }[]> {
    const map = new Map<number, { node: Node; slot: number }[]>();
    for (const node of this.nodes)
      node.inputs.forEach((id, slot) => {
        if (id === null) return;
        const list = map.get(id);
        if (list) list.push({ node, slot });
        else map.set(id, [{ node, slot }]);
      });
    return map;
  }

  /** Whether the value must stay: it is an output of the model, or tapped to be kept. */
  isOutput(id: number): boolean {
    return this.outputs.some((o) => o.value === id && o.tap !== 'passive');
  }

  /** Whether the value is an output of the model itself, whose dtype and numbers are the model's. */
  isResult(id: number): boolean {
    return this.outputs.some((o) => o.value === id && o.tap === undefined);
  }

  /** Takes away the passive taps on values that no node makes any more. */
  dropTaps(values: readonly number[]): void {
    const gone = values.filter(
      (id) =>
        this.outputs.some((o) => o.value === id && o.tap === 'passive') &&
        !this.nodes.some((node) => node.outputs.includes(id)),
    );
    if (gone.length === 0) return;
    const left = this.outputs.filter((o) => o.tap !== 'passive' || !gone.includes(o.value));
    this.outputs.splice(0, this.outputs.length, ...left);
  }
}
