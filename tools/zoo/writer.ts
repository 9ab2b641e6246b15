/** Collects nodes and initializers of an ONNX file; knows how each layer is written as an ONNX node. */
import type { AttrSpec, ModelSpec, NodeSpec, TensorSpec } from '../../test/support/onnx.js';
import type { Activation, ConvLayer, Layer, MaxPoolLayer, Network } from './network.js';

const OPSET = 13;

type Elements = Float32Array | Int8Array | Uint8Array | Int32Array;

function elementType(data: Elements): 'f32' | 'i8' | 'u8' | 'i32' {
  if (data instanceof Float32Array) return 'f32';
  if (data instanceof Int32Array) return 'i32';
  return data instanceof Int8Array ? 'i8' : 'u8';
}

/** The shape with the batch in front. */
export const batched = (shape: readonly number[]): number[] => [1, ...shape];

export class Writer {
  private readonly net: Network;
  private readonly nodes: NodeSpec[] = [];
  private readonly initializers: Record<string, TensorSpec> = {};

  constructor(net: Network) {
    this.net = net;
  }

  /** Adds a constant (once per name); gives its name. */
  constant(name: string, shape: readonly number[], data: Elements): string {
    const raw = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    this.initializers[name] ??= { shape, dtype: elementType(data), raw };
    return name;
  }

  /** Adds a node named after its output; gives the output. */
  node(op: string, inputs: readonly string[], output: string, attrs: Readonly<Record<string, AttrSpec>> = {}): string {
    this.nodes.push({ op, name: `${op}_${output}`, inputs, outputs: [output], attrs });
    return output;
  }

  /** Adds Relu or Clip; nothing where there is no activation. */
  activation(kind: Activation, x: string, output: string): string {
    if (kind === null) return x;
    if (kind === 'relu') return this.node('Relu', [x], output);
    const limit = (value: number): string => this.constant(`limit_${value}`, [], Float32Array.of(value));
    return this.node('Clip', [x, limit(0), limit(6)], output);
  }

  /** Adds the node of a layer without its activation. `inputs` are what it reads, weights and bias included. */
  layer(layer: Layer, inputs: readonly string[], output: string): string {
    switch (layer.kind) {
      case 'conv':
        return this.node('Conv', inputs, output, convAttributes(layer));
      case 'maxpool':
        return this.node('MaxPool', inputs, output, poolAttributes(layer));
      case 'avgpool':
        return this.node('GlobalAveragePool', inputs, output);
      case 'concat':
        return this.node('Concat', inputs, output, { axis: 1 });
      case 'flatten':
        return this.node('Flatten', inputs, output, { axis: 1 });
      case 'fc':
        return this.node('Gemm', inputs, output, { transB: 1 });
      case 'add':
        return this.node('Add', inputs, output);
    }
  }

  /** The file as plain data, with these outputs (name in the file -> tensor of the network it has the shape of). */
  spec(outputs: Readonly<Record<string, string>>): ModelSpec {
    const { nodes, initializers } = this;
    const shape = (tensor: string): number[] => batched(this.net.shapes[tensor] as number[]);
    return {
      name: this.net.name,
      producer: 'qc-zoo',
      opset: OPSET,
      nodes,
      initializers,
      inputs: { input: shape('input') },
      outputs: Object.fromEntries(Object.entries(outputs).map(([name, tensor]) => [name, shape(tensor)])),
    };
  }
}

const convAttributes = ({ weights, stride, pads, groups }: ConvLayer): Record<string, AttrSpec> => ({
  kernel_shape: weights.slice(2),
  strides: [stride, stride],
  pads,
  group: groups,
  dilations: [1, 1],
});

const poolAttributes = ({ kernel, stride, pads, ceil }: MaxPoolLayer): Record<string, AttrSpec> => ({
  kernel_shape: [kernel, kernel],
  strides: [stride, stride],
  pads,
  ...(ceil ? { ceil_mode: 1 } : {}),
});
