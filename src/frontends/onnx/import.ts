import { type About, Graph, type Value } from '../../ir/graph.js';
import { sizeOf } from '../../ir/type.js';
import type { OnnxImporter } from '../../ops/import-context.js';
import { ONNX_IMPORTERS } from '../../ops/index.js';
import { modelError } from '../../support/errors.js';
import { quoted, typeName } from '../names.js';
import { Scope } from '../scope.js';
import { MAX_REMEDIES, Unsupported, type UnsupportedNode, unsupportedError } from '../unsupported.js';
import { withPlace } from '../with-place.js';
import { NodeContext, type Surroundings } from './context.js';
import { InputTypes, type ShapeOptions } from './inputs.js';
import { describeNode } from './names.js';
import { executionOrder } from './order.js';
import {
  decodeModel,
  type GraphProto,
  type ModelProto,
  type NodeProto,
  toNumber,
  type ValueInfoProto,
} from './proto.js';
import { readTensor, type TensorSource } from './tensors.js';

/** The operator sets whose semantics the importers know. */
const OPSETS = { least: 1, most: 25 } as const;

/** Inputs of more elements are data: nobody would bind them to make a shape constant. */
const MAX_BOUND = 64;

/** The domain of onnxruntime's own operators. */
const CONTRIB = 'com.microsoft';

/** How a model is read. */
export interface OnnxOptions extends ShapeOptions, TensorSource {
  /** The file's name, for messages. */
  readonly file?: string;
}

/**
 * Reads an ONNX file. The id of a node is its index in the file's list, and values keep their names. Constant
 * subexpressions are folded, nodes that leave nothing behind are recorded in `graph.folded`.
 *
 * Throws a model error that names file and node; everything that is valid but not supported is collected over the whole
 * model and reported in one error.
 */
export function importOnnx(bytes: Uint8Array, options: OnnxOptions = {}): Graph {
  try {
    const model = decode(bytes);
    return new Importer(model, options).run();
  } catch (error) {
    throw withPlace(error, options.file);
  }
}

function decode(bytes: Uint8Array): ModelProto {
  try {
    return decodeModel(bytes);
  } catch (cause) {
    throw modelError(cause instanceof Error ? cause.message : String(cause), {
      cause,
      remedy: 'Give a complete .onnx file as its exporter wrote it.',
    });
  }
}

function opsetOf(model: ModelProto): number {
  const versions = model.opsetImport
    .filter(({ domain }) => domain === '' || domain === 'ai.onnx')
    .map(({ version }) => toNumber(version));
  if (versions.length === 0)
    throw modelError('the model does not say which ONNX operator set it uses', { remedy: 'Export it again.' });
  const opset = Math.max(...versions);
  if (opset < OPSETS.least || opset > OPSETS.most)
    throw modelError(`operator set ${opset} is not supported, only ${OPSETS.least} to ${OPSETS.most}`, {
      remedy: 'Export the model with opset_version=17, or convert it with onnx.version_converter.',
    });
  return opset;
}

/** What the file says about itself. */
function aboutOf({ graph, docString, domain, modelVersion, metadataProps, opsetImport }: ModelProto): About {
  return {
    ...{ doc: docString, graphDoc: graph.docString, domain, version: toNumber(modelVersion) },
    metadata: metadataProps.map(({ key, value }) => ({ key, value })),
    opsets: opsetImport
      .filter((set) => set.domain !== '' && set.domain !== 'ai.onnx')
      .map((set) => ({ domain: set.domain, version: toNumber(set.version) })),
    docs: new Map([...graph.input, ...graph.output].flatMap((v) => (v.docString ? [[v.name, v.docString]] : []))),
  };
}

/** The import of one model. */
class Importer implements Surroundings {
  private readonly source: GraphProto;
  private readonly options: OnnxOptions;
  private readonly opset: number;
  private readonly scope: Scope;
  private readonly unsupported: UnsupportedNode[] = [];
  /** Names that a node or the graph reads. */
  private readonly read: ReadonlySet<string>;
  /** Who reads each name; null is the graph itself. */
  private readonly readers = new Map<string, (NodeProto | null)[]>();
  private readonly types: InputTypes;
  /** What the model says of values, by name. */
  private stated: ReadonlyMap<string, ValueInfoProto> | undefined;

  constructor(model: ModelProto, options: OnnxOptions) {
    const source = model.graph;
    if (source.node.length === 0) throw modelError('the graph has no nodes', { remedy: 'Export the model again.' });
    if (source.output.length === 0) throw modelError('the graph has no outputs', { remedy: 'Export the model again.' });
    this.source = source;
    this.options = options;
    this.opset = opsetOf(model);
    const made = source.node.flatMap((node) => node.output);
    const graph = new Graph(source.name || 'model');
    graph.about = aboutOf(model);
    this.scope = new Scope(graph, new Set([...made, ...source.input.map((i) => i.name)]));
    this.read = new Set([...source.node.flatMap((node) => node.input), ...source.output.map((o) => o.name)]);
    this.collectReaders();
    // Initializers that are listed as inputs too are constants.
    const constants = new Set(source.initializer.map(({ name }) => name));
    this.types = new InputTypes(
      source.input.filter(({ name }) => !constants.has(name)),
      options,
    );
  }

  run(): Graph {
    const order = executionOrder(this.source.node);
    this.defineConstants();
    this.defineInputs();
    this.scope.graph.reserveIds(this.source.node.length);
    for (const id of order) this.importNode(this.source.node[id] as NodeProto, id);
    if (this.unsupported.length > 0) throw unsupportedError(this.unsupported, this.options.file);
    this.addOutputs();
    return this.scope.graph;
  }

  private collectReaders(): void {
    const add = (name: string, reader: NodeProto | null): void => {
      const known = this.readers.get(name);
      if (known) known.push(reader);
      else if (name !== '') this.readers.set(name, [reader]);
    };
    for (const node of this.source.node) for (const name of node.input) add(name, node);
    for (const { name } of this.source.output) add(name, null);
  }

  private defineConstants(): void {
    for (const { values } of this.source.sparseInitializer)
      if (this.read.has(values?.name ?? '')) throw modelError(`initializer ${quoted(values?.name ?? '')} is sparse`);
    for (const proto of this.source.initializer) {
      const what = `initializer ${quoted(proto.name)}`;
      if (this.scope.has(proto.name)) throw modelError(`two initializers are named ${quoted(proto.name)}`);
      this.scope.defineLazily(proto.name, () => readTensor(proto, what, this.options));
    }
  }

  private defineInputs(): void {
    const seen = new Set<string>();
    for (const info of this.source.input) {
      if (seen.has(info.name)) throw modelError(`two inputs are named ${quoted(info.name)}`);
      seen.add(info.name);
      if (this.scope.has(info.name)) continue;
      if (info.name === '') throw modelError('an input has no name');
      const value = this.types.valueOf(info);
      if (value) this.scope.defineLazily(info.name, () => value);
      else {
        const type = this.types.typeOf(info, this.options.onNote);
        this.scope.define(info.name, this.scope.graph.addInput(info.name, type));
      }
    }
  }

  /** Imports one node, or records why it cannot be. */
  private importNode(node: NodeProto, id: number): void {
    const described = describeNode(node, id);
    const again = node.output.find((name) => name !== '' && this.scope.has(name));
    if (again !== undefined)
      throw modelError(`${quoted(again)} is also an input or an initializer`, { node: described });
    const unknown = node.input.find((name) => name !== '' && !this.scope.has(name) && !this.scope.isLost(name));
    if (unknown !== undefined)
      throw modelError(`it reads ${quoted(unknown)}, which nothing makes`, { node: described });
    try {
      const importer = this.importerOf(node);
      if (node.input.some((name) => this.scope.isLost(name))) {
        this.placeholders(node);
        return;
      }
      const context = new NodeContext(node, id, this.opset, this.scope, this.options, this);
      const returned = importer(context);
      this.defineResults(node, context.finish(Array.isArray(returned) ? returned : [returned as Value]));
    } catch (error) {
      if (error instanceof Unsupported) {
        const type = typeName(node.domain === '' ? node.opType : `${node.domain}.${node.opType}`);
        this.unsupported.push({ node: described, type, what: error.message, remedy: error.remedy });
      } else if (this.unsupported.length === 0) throw withPlace(error, undefined, described);
      // Otherwise the failure may follow from a placeholder, and the report of what is unsupported comes first.
      this.placeholders(node);
    }
  }

  private importerOf({ opType, domain }: NodeProto): OnnxImporter {
    const standard = domain === '' || domain === 'ai.onnx';
    if (!standard && domain !== CONTRIB) throw new Unsupported(`the operator set ${quoted(domain)} is not supported`);
    const importer = ONNX_IMPORTERS.get(standard ? opType : `${domain}:${opType}`)?.importer;
    if (importer) return importer;
    if (standard) throw new Unsupported('there is no such operator in qc');
    throw new Unsupported(
      `of the operator set ${quoted(domain)}, qc has only the quantized operators and FusedConv`,
      'Use the model from before onnxruntime optimized it, or optimize with ORT_ENABLE_BASIC only.',
    );
  }

  private defineResults(node: NodeProto, results: readonly (Value | undefined)[]): void {
    node.output.forEach((name, i) => {
      const value = results[i];
      if (name === '') return;
      if (value) this.scope.define(name, value);
      else if (this.read.has(name)) throw new Unsupported(`its output ${i} (${quoted(name)}) is used`);
    });
  }

  readersOf(name: string): readonly (NodeProto | null)[] {
    return this.readers.get(name) ?? [];
  }

  statedShape(name: string): readonly number[] | undefined {
    return this.types.statedShape(this.infoOf(name));
  }

  inputsBehind(name: string): readonly string[] {
    // A report shows a few remedies; a walk for every node of a large model would take long.
    if (this.unsupported.length >= MAX_REMEDIES) return [];
    const producers = new Map(this.source.node.flatMap((node) => node.output.map((output) => [output, node] as const)));
    const [seen, found, rest] = [new Set<string>(), new Set<string>(), [name]];
    for (let at = rest.pop(); at !== undefined; at = rest.pop()) {
      if (seen.has(at)) continue;
      seen.add(at);
      const producer = producers.get(at);
      if (producer) rest.push(...producer.input);
      else if (this.isSmallInput(at)) found.add(at);
    }
    return [...found];
  }

  private isSmallInput(name: string): boolean {
    if (!this.scope.has(name)) return false;
    const { id, type } = this.scope.get(name);
    return this.scope.graph.inputs.includes(id) && sizeOf(type.shape) <= MAX_BOUND;
  }

  private infoOf(name: string): ValueInfoProto | undefined {
    this.stated ??= new Map([...this.source.output, ...this.source.valueInfo].map((info) => [info.name, info]));
    return this.stated.get(name);
  }

  /** Stands in for the outputs of a node that is not supported, so that the rest of the model is checked as well. */
  private placeholders(node: NodeProto): void {
    for (const name of node.output) {
      if (name === '' || this.scope.has(name)) continue;
      const type = this.types.statedType(this.infoOf(name));
      if (type) this.scope.define(name, this.scope.graph.addInput(name, type));
      else this.scope.lose(name);
    }
  }

  private addOutputs(): void {
    const seen = new Set<string>();
    for (const { name } of this.source.output) {
      if (seen.has(name)) throw modelError(`two outputs are named ${quoted(name)}`);
      seen.add(name);
      if (!this.scope.has(name)) throw modelError(`nothing makes the output ${quoted(name)}`);
      this.scope.graph.addOutput(this.scope.enter(this.scope.get(name)).id, name);
    }
  }
}
