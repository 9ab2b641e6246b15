import type { Attrs, Node } from '../../../ir/graph.js';
import type { Tensor } from '../../../ir/tensor.js';
import type { TensorType } from '../../../ir/type.js';
import type { Activation } from '../../../quant/activation.js';
import { writeActivation } from './activations.js';
import type { OnnxWriter, WrittenAttr } from './writer.js';

/** What the export of one node works with. */
export interface NodeExport {
  readonly w: OnnxWriter;
  readonly node: Node;
  readonly attrs: Attrs;
  /** The name of an operand as reals, or of integers as they are. */
  in(slot: number): string;
  has(slot: number): boolean;
  type(slot: number): TensorType;
  constant(slot: number): Tensor | null;
  /** Writes a constant in place of an operand. */
  replaced(slot: number, tensor: Tensor): string;
  outType(): TensorType;
  /** The names of the results. */
  readonly outs: readonly string[];
}

/** Writes one node; the last ONNX node gives the name of the result. */
export type NodeExporter = (n: NodeExport) => void;

/** A list of integers among attributes. */
export const list = (attrs: Attrs, name: string): readonly number[] => attrs[name] as readonly number[];

/** Writes the result with the activation that the node carries, if any: `make` gets the name to write to, if it is known. */
export function withActivation(n: NodeExport, make: (output?: string) => string): void {
  const activation = (n.attrs.activation ?? null) as Activation | null;
  if (!activation) make(n.outs[0]);
  else writeActivation(n.w, activation, make(), n.outs[0]);
}

/** An op that has the same operands in ONNX. */
export const same =
  (type: string, attrsOf: (attrs: Attrs) => Readonly<Record<string, WrittenAttr>> = () => ({})): NodeExporter =>
  (n) => {
    const inputs = n.node.inputs.map((id, slot) => (id === null ? '' : n.in(slot)));
    withActivation(n, (output) => n.w.node(type, inputs, attrsOf(n.attrs), output));
  };
