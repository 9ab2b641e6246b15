/** Networks with every inner value made visible: in onnxruntime, and in the compiled module. */
import onnxProto from 'onnx-proto';
import { assemble, emitCode, pagesFor } from '../../src/codegen/emit.js';
import { planMemory } from '../../src/codegen/plan/memory.js';
import { Planner } from '../../src/codegen/plan/planner.js';
import { decodeModel, type GraphProto } from '../../src/frontends/onnx/proto.js';
import type { Graph, Node, Value } from '../../src/ir/graph.js';
import { allocate, type Tensor } from '../../src/ir/tensor.js';
import { codesType, isCodes, type Quant, realType } from '../../src/ir/type.js';
import { OPS } from '../../src/ops/index.js';
import { ABI_VERSION, type TensorInfo } from '../../src/runtime/abi.js';
import { createLoader, type Net } from '../../src/runtime/loader.js';
import { runOrt } from '../support/ort.js';

/** The model with the result of every node as a graph output, except of those that only unpack weights. */
function withAllOutputs(bytes: Uint8Array): Uint8Array {
  const model = onnxProto.onnx.ModelProto.decode(bytes);
  const graph = model.graph as unknown as GraphProto;
  const constants = new Set(graph.initializer.map(({ name }) => name));
  const named = new Set(graph.output.map(({ name }) => name));
  for (const { opType, input, output } of graph.node) {
    if (opType === 'Constant' || (opType === 'DequantizeLinear' && constants.has(input[0] as string))) continue;
    for (const name of output) if (name && !named.has(name)) graph.output.push({ name, type: null, docString: '' });
  }
  // Messages with absent types: encode wants the fields missing, not null.
  for (const output of graph.output) if (output.type === null) delete (output as { type?: unknown }).type;
  return onnxProto.onnx.ModelProto.encode(model).finish();
}

/** What onnxruntime, without optimizations, has for the values of a compiled graph. */
export class OrtValues {
  private readonly graph: Graph;
  private readonly source: GraphProto;
  private readonly tensors: Readonly<Record<string, Tensor>>;
  private readonly producers: ReadonlyMap<number, Node>;

  private constructor(graph: Graph, source: GraphProto, tensors: Readonly<Record<string, Tensor>>) {
    this.graph = graph;
    this.source = source;
    this.tensors = tensors;
    this.producers = graph.producers();
  }

  /** Runs the model file that `graph` was made from. `feeds` are by input name. */
  static async run(bytes: Uint8Array, graph: Graph, feeds: Readonly<Record<string, Tensor>>): Promise<OrtValues> {
    const tensors = await runOrt(withAllOutputs(bytes), feeds);
    return new OrtValues(graph, decodeModel(bytes).graph, { ...feeds, ...tensors });
  }

  /** The value of the compiled graph as onnxruntime has it: its codes where the graph has codes. */
  of(id: number): Tensor {
    const value = this.graph.value(id);
    if (value.data) return value.data;
    return isCodes(value.type) ? this.codes(value) : this.reals(value);
  }

  /** The name in the file of the unrounded value behind a value and its copies in other grids. */
  private nameOf(value: Value): string {
    const producer = this.producers.get(value.id);
    const converts = producer && ['quantize', 'requantize', 'dequantize'].includes(producer.op);
    return converts ? this.nameOf(this.graph.input(producer, 0)) : value.name;
  }

  /** The output of the file's QuantizeLinear of a value to a grid, if there is one. */
  private quantized(name: string, quant: Quant): Tensor | undefined {
    const constant = (constantName: string | undefined): number | undefined => {
      const found = this.source.initializer.find((t) => t.name === constantName);
      if (!found || found.rawData.length === 0) return undefined;
      const bytes = new DataView(found.rawData.buffer, found.rawData.byteOffset, found.rawData.byteLength);
      return found.dataType === 1
        ? bytes.getFloat32(0, true)
        : found.dataType === 2
          ? bytes.getUint8(0)
          : bytes.getInt8(0);
    };
    const node = this.source.node.find(
      ({ opType, input }) =>
        opType === 'QuantizeLinear' &&
        input[0] === name &&
        (constant(input[1]) ?? quant.scales[0]) === quant.scales[0] &&
        (constant(input[2]) ?? quant.zeroPoints[0]) === quant.zeroPoints[0],
    );
    return node && this.tensors[node.output[0] as string];
  }

  private real(name: string): Tensor {
    const found = this.tensors[name];
    if (!found) throw new Error(`the file has no value "${name}"`);
    return found;
  }

  private codes({ id, type }: Value): Tensor {
    const name = this.nameOf(this.graph.value(id));
    const quant = type.quant as Quant;
    const made = this.quantized(name, quant);
    if (made) return { type, data: made.data };
    // A grid that came through an op that moves data: the file has the reals, which lie on it.
    const { data } = this.real(name);
    const codes = allocate(codesType(type).dtype, data.length);
    for (let i = 0; i < codes.length; i++) {
      const quanta = Number(data[i]) / (quant.scales[0] as number);
      if (Math.abs(quanta - Math.round(quanta)) > 1e-3)
        throw new Error(`"${name}" is not on its grid: ${quanta} quanta`);
      codes[i] = Math.round(quanta) + (quant.zeroPoints[0] as number);
    }
    return { type, data: codes };
  }

  private reals(value: Value): Tensor {
    const producer = this.producers.get(value.id);
    if (producer?.op !== 'dequantize') return this.real(this.nameOf(value));
    const { data } = this.of(producer.inputs[0] as number);
    const { scales, zeroPoints } = this.graph.input(producer, 0).type.quant as Quant;
    const real = Float32Array.from(data as Uint8Array, (v) =>
      Math.fround((v - (zeroPoints[0] as number)) * (scales[0] as number)),
    );
    return { type: realType(value.type), data: real };
  }
}

/**
 * Compiles a graph that has been through the pipeline with a `dequantize` to an output behind each of its codes.
 * Returns the network and the output's name for each value.
 */
export async function compileExposed(graph: Graph): Promise<{ net: Net; exposed: ReadonlyMap<number, string> }> {
  const exposed = new Map<number, string>();
  for (const node of [...graph.nodes])
    for (const id of node.outputs) {
      const { type } = graph.value(id);
      if (!isCodes(type)) continue;
      const name = `exposed ${id}`;
      const real = graph.addNode({
        op: 'dequantize',
        inputs: [id],
        outputs: [{ name, type: { ...realType(type), quant: type.quant as Quant } }],
      });
      graph.addOutput(real.outputs[0] as number, name);
      exposed.set(id, name);
    }
  const plan = new Planner(graph, OPS).plan();
  const memory = planMemory(plan);
  const code = await emitCode(plan, memory, 'simd');
  const place = ({ info, buffer }: (typeof plan.inputs)[number]): TensorInfo => ({
    ...info,
    offset: memory.addresses[buffer] as number,
  });
  const pages = pagesFor(memory);
  const wasm = assemble(code, plan, memory, {
    version: ABI_VERSION,
    compiler: 'test',
    name: graph.name,
    target: 'simd',
    entries: [{ export: 'run', inputs: plan.inputs.map(place), outputs: plan.outputs.map(place) }],
    memory: { pages, bytes: pages * 65536, weights: memory.weights, activations: memory.activations },
    hashes: { model: '', options: '' },
    ops: [],
  });
  const { loadSync } = createLoader(graph.name, () => wasm);
  return { net: loadSync(wasm), exposed };
}
