import { Graph, type Value } from '../../ir/graph.js';
import { isCodes } from '../../ir/type.js';
import type { PaddleImporter } from '../../ops/import-context.js';
import { PADDLE_IMPORTERS } from '../../ops/index.js';
import { modelError } from '../../support/errors.js';
import type { ModelFiles } from '../../support/model-files.js';
import { quoted, typeName } from '../names.js';
import { Scope } from '../scope.js';
import { isPossibleShape } from '../shapes.js';
import { Unsupported, type UnsupportedNode, unsupportedError } from '../unsupported.js';
import { withPlace } from '../with-place.js';
import { mainSlot, OpContext, outputNames } from './context.js';
import { elementType } from './elements.js';
import { checkShapeOptions, inputType, inputValue, type ShapeOptions } from './inputs.js';
import { noteQuantization } from './observed.js';
import { readParameters } from './parameters.js';
import { type BlockDesc, decodeProgram, type OpDesc, type ProgramDesc, type VarDesc } from './proto.js';

/** How a model is read. */
export interface PaddleOptions extends ShapeOptions {
  /** The name of the program's file, for messages and for the name of its parameters' file. */
  readonly file: string;
  /** The name of the file with all parameters. */
  readonly paramsFile?: string | undefined;
}

/**
 * Reads a Paddle inference model: a program with its parameters in one file or one file each. The id of a node is the
 * index of its op in block 0, values keep the names of variables (those written again get a number).
 *
 * Throws a model error that names file and op; everything that is valid but not supported is collected over the whole
 * program and reported in one error.
 */
export function importPaddle(model: ModelFiles, options: PaddleOptions): Graph {
  try {
    return new Importer(decode(model.bytes), model, options).run();
  } catch (error) {
    throw withPlace(error, options.file);
  }
}

function decode(bytes: Uint8Array): ProgramDesc {
  try {
    return decodeProgram(bytes);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    const reason = message.startsWith('index out of range') ? `it is truncated or damaged (${message})` : message;
    throw modelError(`not a Paddle program: ${reason}`, {
      cause,
      remedy: 'Give the complete .pdmodel or __model__ file as paddle.jit.save or save_inference_model wrote it.',
    });
  }
}

/** An op as messages name it, `conv2d (12) "conv2d_3.tmp_0"`. */
const describeOp = (op: OpDesc, id: number): string => {
  const [name] = outputNames(op);
  return `${typeName(op.type)} (${id})${name ? ` ${quoted(name)}` : ''}`;
};

const namesIn = (slots: OpDesc['inputs']): string[] => [...slots.values()].flat();

/** The variable that a feed or fetch op is about. */
const variableOf = (slots: OpDesc['inputs'], slot: string, type: string): string => {
  const name = slots.get(slot)?.[0];
  if (name === undefined) throw modelError(`the ${type} op names no variable`);
  return name;
};

/** For each op, which of its results an op after it reads before they are written again. */
function liveResults(ops: readonly OpDesc[]): Set<string>[] {
  const live = new Set<string>();
  const result: Set<string>[] = [];
  for (const op of ops.toReversed()) {
    const names = namesIn(op.outputs);
    result.push(new Set(names.filter((name) => live.has(name))));
    for (const name of names) live.delete(name);
    for (const name of namesIn(op.inputs)) live.add(name);
  }
  return result.reverse();
}

/** The import of one program. */
class Importer {
  private readonly block: BlockDesc;
  private readonly vars: ReadonlyMap<string, VarDesc>;
  private readonly options: PaddleOptions;
  private readonly scope: Scope;
  private readonly unsupported: UnsupportedNode[] = [];
  private readonly outputs: { readonly column: number; readonly name: string; readonly value: Value | null }[] = [];

  constructor({ blocks }: ProgramDesc, model: ModelFiles, options: PaddleOptions) {
    const [block] = blocks as [BlockDesc];
    if (block.ops.length === 0) throw modelError('the program has no ops', { remedy: 'Export the model again.' });
    this.block = block;
    this.options = options;
    this.vars = new Map(block.vars.map((v) => [v.name, v]));
    this.scope = new Scope(new Graph('model'), new Set(this.vars.keys()));
    for (const [name, read] of readParameters(block, model, options)) this.scope.defineLazily(name, read);
  }

  run(): Graph {
    const { graph } = this.scope;
    const { ops } = this.block;
    this.defineInputs();
    graph.reserveIds(ops.length);
    const live = liveResults(ops);
    ops.forEach((op, id) => {
      if (op.type === 'feed') graph.folded.set(id, { op: op.type, host: null, how: 'it names an input' });
      else if (op.type === 'fetch') this.fetch(op, id);
      else this.importOp(op, id, live[id] as Set<string>);
    });
    if (this.unsupported.length > 0) throw unsupportedError(this.unsupported, this.options.file);
    this.addOutputs();
    return graph;
  }

  /** The inputs in the order of the feed ops' columns. */
  private defineInputs(): void {
    const feeds = this.block.ops.filter((op) => op.type === 'feed');
    const column = (op: OpDesc): number => op.attrs.get('col')?.numbers[0] ?? 0;
    const names = feeds.sort((a, b) => column(a) - column(b)).map((op) => variableOf(op.outputs, 'Out', 'feed'));
    const inputs = names.map((name) => {
      const found = this.vars.get(name);
      if (!found) throw modelError(`input ${quoted(name)} is not a variable of the program`);
      return found;
    });
    checkShapeOptions(inputs, this.options);
    for (const v of inputs) {
      if (this.scope.has(v.name)) throw modelError(`input ${quoted(v.name)} is given twice, or is a parameter`);
      const value = inputValue(v, this.options);
      if (value) this.scope.defineLazily(v.name, () => value);
      else this.scope.define(v.name, this.scope.graph.addInput(v.name, inputType(v, this.options)));
    }
  }

  private fetch(op: OpDesc, id: number): void {
    const name = variableOf(op.inputs, 'X', 'fetch');
    const lost = this.scope.isLost(name);
    if (!lost && !this.scope.has(name)) throw modelError(`nothing makes the output ${quoted(name)}`);
    const column = op.attrs.get('col')?.numbers[0] ?? this.outputs.length;
    this.outputs.push({ column, name, value: lost ? null : this.scope.get(name) });
    this.scope.graph.folded.set(id, { op: op.type, host: null, how: 'it names an output' });
  }

  /** Imports one op, or records why it cannot be. */
  private importOp(op: OpDesc, id: number, live: ReadonlySet<string>): void {
    const described = describeOp(op, id);
    try {
      const importer = this.importerOf(op);
      const operands = namesIn(op.inputs);
      if (operands.some((name) => this.scope.isLost(name))) return this.placeholders(op);
      const unknown = operands.find((name) => !this.scope.has(name) && !OPTIONAL_STATE.test(op.type));
      if (unknown !== undefined) throw modelError(`it reads ${quoted(unknown)}, which nothing makes`);
      const context = new OpContext(op, id, this.scope, live);
      const returned = importer(context);
      const results = bySlot(op, returned);
      const settled = context.finish(results);
      this.define(op, settled, live);
      noteQuantization(op, id, this.scope, context.attrs);
    } catch (error) {
      if (error instanceof Unsupported)
        this.unsupported.push({ node: described, type: typeName(op.type), what: error.message, remedy: error.remedy });
      else if (this.unsupported.length === 0) throw withPlace(error, undefined, described);
      // Otherwise the failure may follow from a placeholder, and the report of what is unsupported comes first.
      this.placeholders(op);
    }
  }

  private importerOf({ type, inputs }: OpDesc): PaddleImporter {
    const found = PADDLE_IMPORTERS.get(type);
    if (!found) throw new Unsupported('there is no such op in qc');
    const codes = namesIn(inputs).find((name) => this.scope.has(name) && isCodes(this.scope.get(name).type));
    if (codes !== undefined && found.op.quant !== 'boundary')
      throw new Unsupported(`${type} on quantized codes (${quoted(codes)})`, 'Dequantize them in front of it.');
    return found.importer;
  }

  private define(op: OpDesc, results: readonly (Value | undefined)[], live: ReadonlySet<string>): void {
    outputNames(op).forEach((name, i) => {
      const value = results[i];
      if (value) this.scope.define(name, value);
      else if (live.has(name)) throw new Unsupported(`its result ${quoted(name)} is used`);
    });
  }

  /** Stands in for the results of an op that is not supported, so that the rest of the program is checked as well. */
  private placeholders(op: OpDesc): void {
    for (const name of namesIn(op.outputs)) {
      const tensor = this.vars.get(name)?.tensor;
      const element = tensor && elementType(tensor.dataType);
      const shape = tensor?.dims.map((d, i) => (d < 0 && i === 0 ? (this.options.batch ?? 1) : d)) ?? [-1];
      if (element && isPossibleShape(shape))
        this.scope.define(name, this.scope.graph.addInput(name, { dtype: element.dtype, shape }));
      else this.scope.lose(name);
    }
  }

  private addOutputs(): void {
    if (this.outputs.length === 0) throw modelError('the program fetches no output', { remedy: 'Export it again.' });
    const seen = new Set<string>();
    for (const { name, value } of this.outputs.sort((a, b) => a.column - b.column)) {
      if (seen.has(name)) throw modelError(`two outputs are named ${quoted(name)}`);
      seen.add(name);
      if (value) this.scope.graph.addOutput(this.scope.enter(value).id, name);
    }
  }
}

/** Ops whose operands for training may be missing in a model for inference. */
const OPTIONAL_STATE = /^(fake_|moving_average_|quantize_linear|dequantize_linear)/;

/** What an importer returned, in the order of the op's output names. */
function bySlot(op: OpDesc, returned: ReturnType<PaddleImporter>): (Value | undefined)[] {
  const isList = (v: unknown): v is readonly Value[] => Array.isArray(v);
  const isValue = (v: ReturnType<PaddleImporter>): v is Value => 'type' in v && 'id' in v;
  const main = mainSlot(op);
  const slots: Readonly<Record<string, Value | readonly Value[]>> =
    isList(returned) || isValue(returned) ? (main === undefined ? {} : { [main]: returned }) : returned;
  const order = [...(main === undefined ? [] : [main]), ...[...op.outputs.keys()].filter((slot) => slot !== main)];
  return order.flatMap((slot) => {
    const found = slots[slot];
    const values = found === undefined ? [] : isList(found) ? found : [found];
    return (op.outputs.get(slot) ?? []).map((_, i) => values[i]);
  });
}
