import type { Value } from '../../ir/graph.js';
import { allocate, numbers, type Tensor } from '../../ir/tensor.js';
import { sizeOf } from '../../ir/type.js';
import type { ImportContext, SourceAttrs } from '../../ops/import-context.js';
import { modelError } from '../../support/errors.js';
import { bindRemedy } from '../input-values.js';
import { quoted } from '../names.js';
import { NodeBuilder } from '../node-builder.js';
import type { Scope } from '../scope.js';
import { sourceAttrs } from './attributes.js';
import type { NodeProto } from './proto.js';
import type { TensorSource } from './tensors.js';

/** Shapes, axes, bounds and the like are short lists. */
const MAX_PARAMETERS = 2 ** 16;

/** Names without the empty ones at the end, which stand for absent values. */
function withoutTail(names: readonly string[]): readonly string[] {
  let n = names.length;
  while (n > 0 && names[n - 1] === '') n--;
  return names.slice(0, n);
}

/** What a node's importer may ask about the graph around it. */
export interface Surroundings {
  /** The nodes that read a value; null stands for the graph. */
  readersOf(name: string): readonly (NodeProto | null)[];
  /** The shape that the model states for a value; undefined where it leaves a size open. */
  statedShape(name: string): readonly number[] | undefined;
  /** The small inputs of the graph that a value is computed from: candidates for `--input-value`. */
  inputsBehind(name: string): readonly string[];
}

/** The import of one ONNX node. */
export class NodeContext extends NodeBuilder implements ImportContext {
  readonly opset: number;
  readonly attrs: SourceAttrs;
  readonly inputCount: number;
  readonly outputCount: number;
  private readonly node: NodeProto;
  private readonly source: TensorSource;
  private readonly around: Surroundings;

  constructor(node: NodeProto, id: number, opset: number, scope: Scope, source: TensorSource, around: Surroundings) {
    super({ id, type: node.opType, name: node.name, outputs: node.output }, scope);
    this.node = node;
    this.opset = opset;
    this.attrs = sourceAttrs(node, source);
    this.inputCount = withoutTail(node.input).length;
    this.outputCount = withoutTail(node.output).length;
    this.source = source;
    this.around = around;
  }

  get readers(): ImportContext['readers'] {
    return this.around
      .readersOf(this.node.output[0] ?? '')
      .map((node) => node && { type: node.opType, attrs: sourceAttrs(node, this.source) });
  }

  input(i: number): Value {
    const value = this.optional(i);
    if (!value) throw modelError(`input ${i} is missing`);
    return value;
  }

  optional(i: number): Value | null {
    const name = this.name(i);
    return name === '' ? null : this.scope.get(name);
  }

  constant(i: number): Tensor {
    const { data, type } = this.input(i);
    if (data) return data;
    return this.isComputed(i) ? this.refuse(i, 'it must be constant') : { type, data: allocate(type.dtype, 0) };
  }

  numbers(i: number): number[] | null {
    if (!this.optional(i)) return null;
    const tensor = this.constant(i);
    if (tensor.data.length > MAX_PARAMETERS) throw modelError(`input ${i} holds ${tensor.data.length} numbers`);
    return numbers(tensor);
  }

  isComputed(i: number): boolean {
    const value = this.optional(i);
    // What has no elements is constant, wherever it comes from.
    return value !== null && value.data === undefined && sizeOf(value.type.shape) > 0;
  }

  statedShape(i: number, operand: number, rank?: number): readonly number[] {
    const output = this.node.output[i] ?? '';
    const shape = this.around.statedShape(output);
    if (!shape) return this.refuse(operand, 'it must be constant, or the model must state the shape of the result');
    if (rank !== undefined && shape.length !== rank)
      throw modelError(`the model states the shape [${shape}] for a result of ${rank} dimensions`);
    const what = `${this.type} (${this.origin.id})`;
    this.source.onNote?.(`${what} gives the shape that the model states, whatever ${quoted(this.name(operand))} says`);
    return shape;
  }

  private name(i: number): string {
    return this.node.input[i] ?? '';
  }

  private refuse(i: number, need: string): never {
    const name = this.name(i);
    const inputs = this.around.inputsBehind(name);
    const remedy = inputs.length > 0 ? bindRemedy(inputs) : undefined;
    return this.unsupported(`input ${i} (${quoted(name)}) is computed by the network, ${need}`, remedy);
  }
}
