import type { Value } from '../../ir/graph.js';
import { numbers, type Tensor } from '../../ir/tensor.js';
import type { ImportContext, SourceAttrs } from '../../ops/import-context.js';
import { modelError } from '../../support/errors.js';
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

/** The import of one ONNX node. */
export class NodeContext extends NodeBuilder implements ImportContext {
  readonly opset: number;
  readonly attrs: SourceAttrs;
  readonly inputCount: number;
  readonly outputCount: number;
  private readonly node: NodeProto;
  private readonly source: TensorSource;
  private readonly readingNodes: readonly (NodeProto | null)[];

  constructor(
    node: NodeProto,
    id: number,
    opset: number,
    scope: Scope,
    source: TensorSource,
    readers: readonly (NodeProto | null)[],
  ) {
    super({ id, type: node.opType, name: node.name, outputs: node.output }, scope);
    this.node = node;
    this.opset = opset;
    this.attrs = sourceAttrs(node, source);
    this.inputCount = withoutTail(node.input).length;
    this.outputCount = withoutTail(node.output).length;
    this.source = source;
    this.readingNodes = readers;
  }

  get readers(): ImportContext['readers'] {
    return this.readingNodes.map((node) => node && { type: node.opType, attrs: sourceAttrs(node, this.source) });
  }

  input(i: number): Value {
    const value = this.optional(i);
    if (!value) throw modelError(`input ${i} is missing`);
    return value;
  }

  optional(i: number): Value | null {
    const name = this.node.input[i] ?? '';
    return name === '' ? null : this.scope.get(name);
  }

  constant(i: number): Tensor {
    const { data, name } = this.input(i);
    return data ?? this.unsupported(`input ${i} (${quoted(name)}) is computed by the network, it must be constant`);
  }

  numbers(i: number): number[] | null {
    if (!this.optional(i)) return null;
    const tensor = this.constant(i);
    if (tensor.data.length > MAX_PARAMETERS) throw modelError(`input ${i} holds ${tensor.data.length} numbers`);
    return numbers(tensor);
  }
}
