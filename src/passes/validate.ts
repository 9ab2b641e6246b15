import type { Change, Graph, Node, Value } from '../ir/graph.js';
import type { OpTable } from '../ir/op.js';
import type { Tensor } from '../ir/tensor.js';
import { type Quant, realType, sameType, sizeOf } from '../ir/type.js';
import { computesOnCodes, type Environment, evaluateNode, interpret } from '../ops/interpret.js';
import { internalError } from '../support/errors.js';
import { CLOSE, carry, compareTensors, identical, type Mismatch, onOneFooting, stimulus } from './compare-tensors.js';
import type { Pass } from './pass.js';

/** Elements of all values up to which a second run on nothing but boundary values is made. */
const SMALL = 8e6;

/** A run of a graph: inputs, and every value that they give. */
interface Run {
  readonly title: string;
  env: Environment;
}

/** A value that a pass changed more than it may. */
interface Failure extends Mismatch {
  readonly node: Node;
  readonly value: Value;
  readonly run: string;
}

/**
 * Translation validation: after each pass, every value that the graph had before and still has is computed from its
 * nearest such values by the new nodes, and compared with what the old nodes made of the same numbers. Errors can
 * therefore neither add up nor hide behind each other: what fails is a node that the pass made wrong. Nodes that did not
 * change are not computed again.
 */
export class Validation {
  private readonly ops: OpTable;
  private readonly runs: Run[];
  private before: Graph;

  /** Runs the imported graph. Throws what the interpreter throws where the graph does not take random inputs. */
  constructor(graph: Graph, ops: OpTable) {
    this.ops = ops;
    this.before = graph.clone();
    const elements = [...graph.values.values()].reduce((sum, v) => sum + (v.data ? 0 : sizeOf(v.type.shape)), 0);
    const kinds = [['random values with boundaries among them', 0.15] as const, ['boundary values', 1] as const];
    this.runs = kinds.slice(0, elements > SMALL ? 1 : 2).map(([title, share], i) => ({
      title,
      env: interpret(graph, ops, stimuli(graph, i + 1, share)),
    }));
  }

  /** Compares the graph with what it was after the pass before; throws an internal error naming pass, rule and node. */
  check(graph: Graph, pass: Pass, step: number): void {
    const failures: Failure[] = [];
    for (const run of this.runs) {
      const [env, found] = this.advance(graph, pass, run);
      failures.push(...found);
      run.env = env;
    }
    if (failures.length > 0) throw report(graph, pass, step, failures);
    this.before = graph.clone();
  }

  /** The values of the graph as it is now, and those that are not as they should be. */
  private advance(graph: Graph, pass: Pass, { title, env }: Run): [Environment, Failure[]] {
    const { before, ops } = this;
    const failures: Failure[] = [];
    const makers = before.producers();
    const now: Environment = new Map();
    const local: Environment = new Map();
    for (const { id, data, type } of graph.values.values()) {
      if (data) now.set(id, data);
      const old = env.get(id);
      const carried = data ?? (old && before.values.has(id) ? carry(old, type) : null);
      if (carried) local.set(id, carried);
    }
    for (const id of graph.inputs) now.set(id, local.get(id) as Tensor);
    for (const node of graph.nodes) {
      const twin = makers.get(node.outputs[0] as number);
      const same = twin !== undefined && unchanged(before, twin, graph, node);
      if (same && sees(node, now, env)) {
        for (const id of node.outputs) now.set(id, env.get(id) as Tensor);
        continue;
      }
      const computed = same ? null : evaluateNode(graph, ops, node, local);
      const shared = computed && sees(node, now, local);
      const results = shared ? computed : evaluateNode(graph, ops, node, now);
      node.outputs.forEach((id, i) => {
        const old = env.get(id);
        const result = results[i] as Tensor;
        now.set(id, old && identical(old, result) ? old : result);
        if (!computed) return;
        const fresh = computed[i] as Tensor;
        if (!old || !local.has(id)) {
          local.set(id, fresh);
          if (!old) return;
        }
        const found = this.compare(old as Tensor, fresh, pass, twin, env);
        if (found) failures.push({ ...found, node, value: graph.value(id), run: title });
      });
    }
    failures.push(...this.compareOutputs(graph, pass, env, local, title));
    return [now, failures];
  }

  private compare(old: Tensor, fresh: Tensor, pass: Pass, maker: Node | undefined, env: Environment): Mismatch | null {
    if (pass.numbers === 'rounds') return null;
    const pair = onOneFooting(old, fresh);
    if (!pair) return null; // on another grid now: what reads it is compared
    const grid: Quant | undefined = old.type.quant ?? fresh.type.quant;
    const unrounded = (): Tensor | null => {
      if (!maker || computesOnCodes(this.before, maker)) return null;
      const types = maker.outputs.map((id) => realType(this.before.value(id).type));
      return evaluateNode(this.before, this.ops, maker, env, types)[0] ?? null;
    };
    return compareTensors(...pair, pass.numbers, grid, unrounded);
  }

  /** The outputs by name: they may be other values now. */
  private compareOutputs(graph: Graph, pass: Pass, env: Environment, local: Environment, run: string): Failure[] {
    const makers = graph.producers();
    const oldMakers = this.before.producers();
    return graph.outputs.flatMap(({ value, name, tap }): Failure[] => {
      const was = this.before.outputs.find((o) => o.name === name);
      const node = makers.get(value);
      const [old, fresh] = [was && env.get(was.value), local.get(value)];
      if (!was || !old || !fresh || !node || tap !== undefined || was.value === value) return [];
      const found = this.compare(old, fresh, pass, oldMakers.get(was.value), env);
      return found ? [{ ...found, node, value: graph.value(value), run }] : [];
    });
  }
}

/** Inputs for a run; an input that is quantized first gets values about that grid. */
function stimuli(graph: Graph, seed: number, boundaryShare: number): Record<string, Tensor> {
  const consumers = graph.consumers();
  return Object.fromEntries(
    graph.inputs.map((id, i) => {
      const { name, type } = graph.value(id);
      const reader = (consumers.get(id) ?? []).find((r) => r.node.op === 'quantize')?.node;
      const grid = type.quant ?? (reader && graph.output(reader).type.quant);
      return [name, stimulus(type, grid, seed * 7919 + i, boundaryShare)] as const;
    }),
  );
}

/** Whether a node reads the same tensors from two environments. */
const sees = (node: Node, a: Environment, b: Environment): boolean =>
  node.inputs.every((id) => {
    if (id === null) return true;
    const [x, y] = [a.get(id), b.get(id)];
    return x !== undefined && y !== undefined && identical(x, y);
  });

/** Whether a node computes the same from the same operands as it did. */
function unchanged(before: Graph, old: Node, after: Graph, node: Node): boolean {
  return (
    old.op === node.op &&
    old.outputs.length === node.outputs.length &&
    old.inputs.length === node.inputs.length &&
    node.outputs.every((id, i) => id === old.outputs[i] && sameType(before.value(id).type, after.value(id).type)) &&
    node.inputs.every((id, i) => {
      if (id === null || old.inputs[i] !== id) return id === old.inputs[i];
      const [x, y] = [before.value(id), after.value(id)];
      return x.data === y.data && sameType(x.type, y.type);
    }) &&
    (old.attrs === node.attrs || JSON.stringify(old.attrs) === JSON.stringify(node.attrs))
  );
}

/** The rule of the pass that touched a node, its results or its operands last. */
function ruleOf(graph: Graph, step: number, node: Node): Change | undefined {
  const makers = graph.producers();
  const near = new Set<Node | undefined>([node]);
  for (const id of node.inputs) if (id !== null) near.add(makers.get(id));
  const changes = graph.history.filter((change) => change.step === step);
  const values = new Set<number | null>([...node.outputs, ...node.inputs]);
  return (
    changes.findLast((c) => c.node === node || node.outputs.includes(c.value ?? -1)) ??
    changes.findLast((c) => (c.node && near.has(c.node)) || (c.value !== null && values.has(c.value)))
  );
}

function report(graph: Graph, pass: Pass, step: number, failures: readonly Failure[]): Error {
  const smallest = failures.reduce((a, b) => (sizeOf(b.value.type.shape) < sizeOf(a.value.type.shape) ? b : a));
  const { node, value, index, before, after, count, run } = smallest;
  const change = ruleOf(graph, step, node);
  const rule = change ? `rule ${change.rule} (${change.what}: ${change.detail})` : 'no rule left a trace';
  const wanted = pass.numbers === 'exact' ? 'exactly the same' : `the same up to ${CLOSE} and ties`;
  const others = new Set(failures.map((f) => f.value.id)).size - 1;
  const size = sizeOf(value.type.shape);
  const name = node.origin.name === '' ? '' : ` "${node.origin.name}"`;
  return internalError(
    [
      `pass ${step} ${pass.name} changes the numbers of ${node.op} (${node.id})${name}, which should be ${wanted}`,
      `  ${rule}`,
      `  value "${value.name}" [${value.type.shape}], on ${run}: element ${index} was ${before} and is ${after}; ${count} of ${size} differ`,
      ...(others > 0 ? [`  it is the smallest of ${others + 1} values that differ`] : []),
    ].join('\n'),
    { node: `${node.op} (${node.id})` },
  );
}
