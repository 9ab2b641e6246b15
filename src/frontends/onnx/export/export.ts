import type { Graph, Node, Value } from '../../../ir/graph.js';
import type { Tensor } from '../../../ir/tensor.js';
import { isCodes, type TensorType } from '../../../ir/type.js';
import { modelError } from '../../../support/errors.js';
import { encodeModel } from '../proto.js';
import { LAYERS } from './layers.js';
import { MATH } from './math.js';
import { MOVEMENT } from './movement.js';
import type { NodeExport, NodeExporter } from './node-export.js';
import { OnnxWriter, valueInfo } from './writer.js';

const EXPORTERS: Readonly<Record<string, NodeExporter>> = { ...LAYERS, ...MATH, ...MOVEMENT };

/** The operator set of the files: the first with all the activations. */
const OPSET = 20;
const IR_VERSION = 9;

/** What a file says about who made it. */
export interface ExportOptions {
  readonly producerVersion: string;
  readonly file?: string;
}

/** Whether an op can be written. */
export const canExport = (op: string): boolean => op in EXPORTERS;

/**
 * Writes a fused graph as an ONNX model in QDQ form: a value on a grid stands between QuantizeLinear and
 * DequantizeLinear, weights and biases in codes are initializers with a DequantizeLinear, and what fusion had joined
 * (biases, residuals, activations) stands in nodes of its own. Values, inputs and outputs keep their names, and the file what
 * the source said about itself: metadata, doc strings, version, operator sets besides ONNX's.
 *
 * Throws a model error that lists the ops which ONNX has no form for.
 */
export function exportOnnx(graph: Graph, options: ExportOptions): Uint8Array {
  const missing = graph.nodes.filter((node) => !canExport(node.op));
  if (missing.length > 0)
    throw modelError(
      `${missing.length} op${missing.length > 1 ? 's' : ''} cannot be written as ONNX: ${missing.map((n) => `${n.op} (${n.id})`).join(', ')}`,
      {
        ...(options.file === undefined ? {} : { file: options.file }),
        remedy: 'Compile the model directly, with --calibrate-with.',
      },
    );
  const { about } = graph;
  return encodeModel({
    irVersion: IR_VERSION,
    opsetImport: [{ domain: '', version: OPSET }, ...(about?.opsets ?? [])],
    producerName: 'qc',
    producerVersion: options.producerVersion,
    ...(about && {
      domain: about.domain,
      modelVersion: about.version,
      docString: about.doc,
      metadataProps: about.metadata,
    }),
    graph: new GraphExport(graph).run(),
  });
}

class GraphExport {
  private readonly graph: Graph;
  private readonly w: OnnxWriter;
  /** The name under which readers find a value. */
  private readonly names = new Map<number, string>();

  constructor(graph: Graph) {
    this.graph = graph;
    this.w = new OnnxWriter(this.ownNames());
  }

  /** Names of inputs, results and outputs: constants and what is inserted have to take others. */
  private *ownNames(): Iterable<string> {
    for (const id of this.graph.inputs) yield this.graph.value(id).name;
    for (const node of this.graph.nodes) for (const id of node.outputs) yield this.graph.value(id).name;
    for (const { name } of this.graph.outputs) yield name;
  }

  run(): object {
    const { graph, w } = this;
    for (const id of graph.inputs) this.names.set(id, this.rounded(graph.value(id), graph.value(id).name));
    for (const node of graph.nodes) this.write(node);
    w.origin = '';
    for (const { value, name } of graph.outputs)
      if (this.names.get(value) !== name) w.node('Identity', [this.nameOf(graph.value(value))], {}, name);
    return {
      name: graph.name,
      docString: graph.about?.graphDoc ?? '',
      node: w.nodes,
      initializer: w.initializers,
      input: graph.inputs.map((id) => this.described(graph.value(id).name, graph.value(id).type)),
      output: graph.outputs.map(({ value, name }) => this.described(name, graph.value(value).type)),
    };
  }

  /** Name and type of an input or output, with what the source said of it. */
  private described(name: string, type: TensorType): object {
    return { ...valueInfo(name, type), docString: this.graph.about?.docs.get(name) ?? '' };
  }

  /** The reals of a value on its grid, or the value itself. */
  private rounded(value: Value, raw: string, output?: string): string {
    const { quant } = value.type;
    return quant && !isCodes(value.type) ? this.w.fake(raw, quant, output) : raw;
  }

  private nameOf(value: Value): string {
    const known = this.names.get(value.id);
    if (known !== undefined) return known;
    if (!value.data) throw new Error(`"${value.name}" is written before it is made`);
    const name = this.w.reals(value.data, value.name);
    this.names.set(value.id, name);
    return name;
  }

  private write(node: Node): void {
    const { graph, w } = this;
    const results = node.outputs.map((id) => {
      const value = graph.value(id);
      const quantized = value.type.quant !== undefined && !isCodes(value.type);
      const output = graph.outputs.find((o) => o.value === id)?.name;
      // An output of the model that is rounded has its name behind the rounding.
      const clash = quantized && output === value.name;
      return { value, output: quantized ? output : undefined, raw: clash ? w.fresh(`${value.name}/raw`) : value.name };
    });
    w.origin = node.origin.name;
    (EXPORTERS[node.op] as NodeExporter)(
      this.contextOf(
        node,
        results.map((r) => r.raw),
      ),
    );
    for (const { value, output, raw } of results) this.names.set(value.id, this.rounded(value, raw, output));
  }

  private contextOf(node: Node, outs: readonly string[]): NodeExport {
    const { graph, w } = this;
    return {
      w,
      node,
      attrs: node.attrs,
      in: (slot) => this.nameOf(graph.input(node, slot)),
      has: (slot) => graph.optionalInput(node, slot) !== undefined,
      type: (slot) => graph.input(node, slot).type,
      constant: (slot) => graph.input(node, slot).data ?? null,
      replaced: (slot, tensor: Tensor) => w.reals(tensor, `${graph.input(node, slot).name}/transposed`),
      outType: () => graph.output(node).type,
      outs,
    };
  }
}
