import { internalError } from '../support/errors.js';
import type { Attrs, Change, CodeRange, Graph, Node, NodeInit, Placement, Value } from './graph.js';
import { typeText } from './print.js';
import type { Tensor } from './tensor.js';
import { sameQuant, sameShape, type TensorType } from './type.js';

/** What a change of type a pass declares; everything else is refused. */
export type Declared = 'nothing' | 'quant' | 'quant+dtype';

/**
 * The one way in which passes edit a graph. Every step is checked at once: a value may only take the place of one
 * of the same shape, dtype and grid, unless the pass declares which of these it changes. `count` is what the pass
 * reports as its number of changes; what was done, and by which rule, goes to the history of the graph.
 */
export class Patch {
  count = 0;
  /** The rule that acts, for the history; a pass with several rules says which one comes. */
  rule: string;
  private readonly graph: Graph;
  private readonly pass: string;
  private readonly step: number;

  /** `step` is the number of the pass in the pipeline. */
  constructor(graph: Graph, pass: string, step = 0) {
    this.graph = graph;
    this.pass = pass;
    this.step = step;
    this.rule = pass;
  }

  private record(what: Change['what'], of: Node | number, detail: string): void {
    const [node, value] = typeof of === 'number' ? [null, of] : [of, null];
    this.graph.history.push({ step: this.step, pass: this.pass, rule: this.rule, what, node, value, detail });
    if (what !== 'fused') this.count++; // the removal of what was fused counts
  }

  private check(from: TensorType, to: TensorType, declared: Declared, what: string): void {
    const bad = !sameShape(from.shape, to.shape)
      ? 'shape'
      : declared !== 'quant+dtype' && from.dtype !== to.dtype
        ? 'dtype'
        : declared === 'nothing' && !sameQuant(from.quant, to.quant)
          ? 'quantization'
          : null;
    if (bad)
      throw internalError(
        `${this.pass}: ${what} changes the ${bad}: ${from.dtype}[${from.shape}] to ${to.dtype}[${to.shape}]`,
      );
  }

  /** Adds a node in front of another, or at the end. */
  addNode(init: NodeInit, before?: Node): Node {
    const node = this.graph.addNode(init, before);
    this.record('added', node, before ? `in front of ${before.op} (${before.id})` : 'at the end');
    return node;
  }

  /** Adds a constant. */
  addConstant(name: string, data: Tensor): Value {
    return this.graph.addConstant(name, data);
  }

  /** Makes every reader of `from` (nodes and graph outputs) read `to`; `except` keeps its operand. */
  replaceValue(from: number, to: number, declared: Declared = 'nothing', except?: Node): void {
    this.check(this.graph.value(from).type, this.graph.value(to).type, declared, `replacing %${from} by %${to}`);
    for (const node of this.graph.nodes)
      if (node !== except && node.inputs.includes(from)) node.inputs = node.inputs.map((id) => (id === from ? to : id));
    for (const output of this.graph.outputs) if (output.value === from) output.value = to;
    this.count++;
  }

  /** Makes one input of a node read another value. */
  setInput(node: Node, slot: number, to: number, declared: Declared = 'nothing'): void {
    const from = node.inputs[slot];
    if (from !== null && from !== undefined)
      this.check(
        this.graph.value(from).type,
        this.graph.value(to).type,
        declared,
        `input ${slot} of ${node.op} (${node.id})`,
      );
    node.inputs[slot] = to;
    this.record('rewired', node, `input ${slot} reads "${this.graph.value(to).name}"`);
  }

  /** Gives a node an operand in a slot that it did not have. */
  addInput(node: Node, slot: number, value: number): void {
    while (node.inputs.length < slot) node.inputs.push(null);
    if (node.inputs[slot] !== undefined && node.inputs[slot] !== null)
      throw internalError(`${this.pass}: ${node.op} (${node.id}) already has an input ${slot}`);
    node.inputs[slot] = value;
    this.record('rewired', node, `takes "${this.graph.value(value).name}" as input ${slot}`);
  }

  /** Changes the grid or dtype of a value; `source` says in words for the user where a new grid comes from. */
  retype(value: number, type: TensorType, declared: Exclude<Declared, 'nothing'>, source?: string): void {
    const v = this.graph.value(value);
    this.check(v.type, type, declared, `retyping %${value}`);
    this.record('retyped', value, `${typeText(v.type, 'short')} to ${typeText(type, 'short')}`);
    v.type = type;
    if (source !== undefined) v.gridSource = source;
    delete v.range;
  }

  /** States what codes a value holds. */
  setRange(value: number, range: CodeRange): void {
    this.graph.value(value).range = range;
    this.count++;
  }

  /** Changes op and attributes of a node that keeps its id. */
  rewrite(node: Node, op: string, attrs: Attrs): void {
    this.record('rewritten', node, node.op === op ? 'other attributes' : `${node.op} to ${op}`);
    if (node.op !== op) this.keepName(node, node.op);
    node.op = op;
    node.attrs = attrs;
  }

  /** Lets a node answer to the name of the op that it takes the place of. */
  keepName(node: Node, op: string): void {
    const known = this.graph.formerOps.get(node.id);
    if (known) known.add(op);
    else this.graph.formerOps.set(node.id, new Set([op]));
  }

  /** Decides whether a node computes in int8. */
  place(node: Node, placement: Placement): void {
    this.record('placed', node, placement.int8 ? 'int8' : `float: ${placement.reason ?? 'no reason'}`);
    node.placement = placement;
  }

  /** Exchanges the ids of two nodes: the main node of a rewrite keeps the id that users know. */
  swapIds(a: Node, b: Node): void {
    [a.id, b.id] = [b.id, a.id];
    [a.origin, b.origin] = [b.origin, a.origin];
  }

  /** Makes a node produce the value of another node that goes away (fusion): the value keeps its type and name. */
  takeOutput(node: Node, from: Node): void {
    const before = node.outputs;
    node.outputs = [...from.outputs];
    this.graph.dropTaps(before);
    this.record('rewired', node, `makes "${this.graph.output(node).name}" in place of ${from.op} (${from.id})`);
  }

  /** Removes a node; its outputs must have no readers left, or another producer. */
  remove(node: Node, why: { readonly host: Node | null; readonly how: string }): void {
    this.graph.nodes = this.graph.nodes.filter((n) => n !== node);
    this.graph.dropTaps(node.outputs);
    this.graph.folded.set(node.id, { op: node.op, host: why.host?.id ?? null, how: why.how });
    this.record('removed', node, why.how);
  }

  /** Fuses `node` into `host`: removes it and lists it (and what it had fused) in the host. */
  fuse(node: Node, host: Node): void {
    host.fused.push({ id: node.id, op: node.op }, ...node.fused);
    this.record('fused', host, `takes ${node.op} (${node.id}) in`);
    this.remove(node, { host, how: `fused into ${host.op} (${host.id})` });
  }
}
