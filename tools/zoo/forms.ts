/** The same quantized network in the forms in which exporters write it: rewrites of a model in QDQ form. */
import {
  type AttrSpec,
  externalFields,
  type ModelSpec,
  type NodeSpec,
  type TensorSpec,
} from '../../test/support/onnx.js';

/** A model with the files that stand beside it. */
export interface FormedModel {
  readonly spec: ModelSpec;
  readonly files: Readonly<Record<string, Uint8Array>>;
}

type Attrs = Readonly<Record<string, AttrSpec>>;

/** A model being rewritten. */
export class Rewriter {
  readonly initializers: Record<string, TensorSpec>;
  readonly nodes: NodeSpec[];
  private readonly spec: ModelSpec;

  constructor(spec: ModelSpec) {
    this.spec = spec;
    this.initializers = { ...spec.initializers };
    this.nodes = [...(spec.nodes ?? [])];
  }

  producer = (name: string): NodeSpec | undefined => this.nodes.find((n) => n.outputs?.includes(name));

  readers = (name: string): NodeSpec[] => this.nodes.filter((n) => n.inputs?.includes(name));

  /** Without nodes that nobody reads and initializers that no node reads. */
  done(changes: Partial<ModelSpec> = {}): ModelSpec {
    const outputs = Object.keys(this.spec.outputs ?? {});
    const needed = new Set(outputs);
    const kept = this.nodes.toReversed().filter((node) => {
      if (!node.outputs?.some((name) => needed.has(name))) return false;
      for (const name of node.inputs ?? []) needed.add(name);
      return true;
    });
    const initializers = Object.fromEntries(Object.entries(this.initializers).filter(([name]) => needed.has(name)));
    return { ...this.spec, nodes: kept.toReversed(), initializers, ...changes };
  }
}

/** How an operator is called in operator form, and in which operator set; absent ones stay between Q and DQ. */
const OPERATORS: Readonly<Record<string, readonly [op: string, domain: string]>> = {
  Conv: ['QLinearConv', ''],
  Gemm: ['QGemm', 'com.microsoft'],
  MatMul: ['QLinearMatMul', ''],
  Add: ['QLinearAdd', 'com.microsoft'],
  Mul: ['QLinearMul', 'com.microsoft'],
  GlobalAveragePool: ['QLinearGlobalAveragePool', 'com.microsoft'],
  Sigmoid: ['QLinearSigmoid', 'com.microsoft'],
  Concat: ['QLinearConcat', 'com.microsoft'],
};

/** Ops that hand codes on as they are. */
const ON_CODES = new Set(['MaxPool', 'Flatten', 'Reshape', 'Transpose']);

/** The inputs of an operator: codes, scale, zero point of each operand, then the grid of the result. */
function operatorInputs(op: string, operands: readonly NodeSpec[], grid: readonly string[]): string[] {
  const parts = operands.map((node) => node.inputs ?? []);
  if (op === 'QLinearConcat') return [...grid, ...parts.flat()];
  const bias = op === 'QLinearConv' || op === 'QGemm' ? parts.splice(2).map(([codes]) => codes as string) : [];
  if (op === 'QGemm') return [...parts.flat(), ...(bias.length > 0 ? bias : ['']), ...grid];
  return [...parts.flat(), ...grid, ...bias];
}

/**
 * Before: DequantizeLinear on every operand, an operator, QuantizeLinear behind it
 * After:  the operator on codes (QLinearConv and the like); what moves codes stands on codes
 */
export function asOperators(spec: ModelSpec): ModelSpec {
  const r = new Rewriter(spec);
  for (const [i, node] of r.nodes.entries()) {
    const [result] = node.outputs as [string];
    const quantize = r.readers(result).find((reader) => reader.op === 'QuantizeLinear');
    const operands = (node.inputs ?? []).map(r.producer);
    const dequantized = operands.every((p): p is NodeSpec => p?.op === 'DequantizeLinear');
    if (!quantize || !dequantized || r.readers(result).length > 1) continue;
    const [, ...grid] = quantize.inputs as [string, string, string];
    const outputs = quantize.outputs as readonly string[];
    const [name, domain] = OPERATORS[node.op] ?? [];
    if (name !== undefined) {
      const inputs = operatorInputs(name, operands, grid);
      const attrs: Attrs = name === 'QLinearGlobalAveragePool' ? { channels_last: 0 } : (node.attrs ?? {});
      r.nodes[i] = { ...node, op: name, domain: domain as string, inputs, outputs, attrs };
    } else if (ON_CODES.has(node.op)) {
      r.nodes[i] = { ...node, inputs: [operands[0]?.inputs?.[0] as string], outputs };
    } else continue;
    r.nodes[r.nodes.indexOf(quantize)] = { op: 'Identity', inputs: [], outputs: [] };
  }
  return r.done({ opsets: { ...spec.opsets, 'com.microsoft': 1 } });
}

/** The numbers of an initializer. */
export function numbersOf(t: TensorSpec): number[] {
  if (t.data) return [...t.data];
  const { buffer, byteOffset, byteLength } = t.raw as Uint8Array;
  const bytes = buffer.slice(byteOffset, byteOffset + byteLength);
  const arrays = { f32: Float32Array, i8: Int8Array, u8: Uint8Array, i32: Int32Array, bool: Uint8Array };
  return Array.from(new arrays[(t.dtype ?? 'f32') as keyof typeof arrays](bytes as ArrayBuffer));
}

/** The reals behind the codes of weights. */
function realWeights(codes: TensorSpec, scale: TensorSpec, zero: TensorSpec, axis: number): TensorSpec {
  const [scales, zeros] = [numbersOf(scale), numbersOf(zero)];
  const inner = codes.shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  const at = (list: readonly number[], i: number): number =>
    list[list.length === 1 ? 0 : Math.floor(i / inner) % list.length] as number;
  const data = numbersOf(codes).map((code, i) => Math.fround((code - at(zeros, i)) * at(scales, i)));
  return { shape: codes.shape, data };
}

/**
 * Before: weights as codes with a DequantizeLinear
 * After:  weights as reals with QuantizeLinear and DequantizeLinear, as PyTorch exports FakeQuantize and TensorRT's
 *         toolkit writes explicit quantization; scales and zero points are nodes, weights come through Identity
 */
export function asFakeQuantization(spec: ModelSpec): ModelSpec {
  const r = new Rewriter(spec);
  const nodes = r.nodes.splice(0);
  const constants = new Map<string, string>();
  const constantNode = (name: string): string => {
    const known = constants.get(name);
    if (known) return known;
    const tensor = r.initializers[name] as TensorSpec;
    r.nodes.push({ op: 'Constant', outputs: [`${name}_constant`], attrs: { value: { tensor } } });
    constants.set(name, `${name}_constant`);
    return `${name}_constant`;
  };
  for (const node of nodes) {
    const [data = '', scale = '', zero = ''] = node.inputs ?? [];
    const codes = r.initializers[data];
    const isGrid = node.op === 'QuantizeLinear' || node.op === 'DequantizeLinear';
    const grid = isGrid ? [constantNode(scale), constantNode(zero)] : [];
    if (node.op === 'DequantizeLinear' && codes && codes.dtype !== 'i32') {
      const [s, z] = [r.initializers[scale], r.initializers[zero]] as [TensorSpec, TensorSpec];
      r.initializers[`${data}_real`] = realWeights(codes, s, z, Number(node.attrs?.axis ?? 0));
      r.nodes.push(
        { op: 'Identity', inputs: [`${data}_real`], outputs: [`${data}_same`] },
        {
          ...node,
          op: 'QuantizeLinear',
          name: `QuantizeLinear_${data}`,
          inputs: [`${data}_same`, ...grid],
          outputs: [`${data}_codes`],
        },
        { ...node, inputs: [`${data}_codes`, ...grid] },
      );
    } else r.nodes.push(isGrid ? { ...node, inputs: [data, ...grid] } : node);
  }
  return r.done();
}

/** The bytes of an initializer as they lie in a file. */
const bytesOf = (t: TensorSpec): Uint8Array =>
  t.raw ?? new Uint8Array(Float32Array.from(t.data as readonly number[]).buffer);

/** Initializers of more than a few bytes in a file beside the model, as large models have them. */
export function withExternalData(spec: ModelSpec, file = 'weights.bin'): FormedModel {
  const parts: Uint8Array[] = [];
  let at = 0;
  const initializers = Object.fromEntries(
    Object.entries(spec.initializers ?? {}).map(([name, tensor]) => {
      const bytes = bytesOf(tensor);
      if (bytes.length < 16) return [name, tensor];
      const { data: _, raw: __, ...rest } = tensor;
      const fields = externalFields(file, at, bytes.length);
      // offsets are multiples of a page, as onnx.save_model writes them for memory maps
      const padded = new Uint8Array(Math.ceil(bytes.length / 4096) * 4096);
      padded.set(bytes);
      parts.push(padded);
      at += padded.length;
      return [name, { ...rest, fields }];
    }),
  );
  return { spec: { ...spec, initializers }, files: { [file]: Buffer.concat(parts) } };
}

/** Initializers listed among the inputs too, as files of IR version 3 have them. */
export function withListedInitializers(spec: ModelSpec): ModelSpec {
  const listed = Object.entries(spec.initializers ?? {}).map(
    ([name, { shape, dtype }]) => [name, { shape, dtype: dtype ?? 'f32' }] as const,
  );
  return { ...spec, inputs: { ...spec.inputs, ...Object.fromEntries(listed) } };
}
