import type { Attrs, Value } from '../ir/graph.js';
import type { Tensor } from '../ir/tensor.js';
import type { DType } from '../ir/type.js';

/** Attributes of the source node, with the defaults of the specification given by the importer. */
export interface SourceAttrs {
  int(name: string, fallback?: number): number;
  float(name: string, fallback?: number): number;
  string(name: string, fallback?: string): string;
  ints(name: string, fallback?: readonly number[]): number[];
  floats(name: string, fallback?: readonly number[]): number[];
  tensor(name: string): Tensor | undefined;
  has(name: string): boolean;
}

/**
 * What the importers of all frontends build with: one node of the source file. Every helper that throws names the node.
 * Constant subexpressions on integers (shape arithmetic) are folded while importing, so that shapes and axes
 * computed by the source graph are constants here.
 */
export interface GraphBuilder {
  /** The op type in the source. */
  readonly type: string;
  /** Adds a node and returns its first output. The first node that computes carries the source id. */
  add(op: string, attrs: Attrs, inputs: readonly (Value | null)[]): Value;
  /** Adds a node and returns all its outputs. */
  addMany(op: string, attrs: Attrs, inputs: readonly (Value | null)[]): Value[];
  /** Says that the nodes added so far prepare operands: the source id goes to a node that is added later. */
  operandsReady(): void;
  /** A new constant. */
  literal(name: string, data: Tensor): Value;
  /** A constant int64 or float32 tensor cast to another dtype is still a constant. */
  cast(value: Value, dtype: DType): Value;
  /** Fails with a model error: this form of the op is not supported. All of them are collected and reported at once. */
  unsupported(what: string, remedy?: string): never;
}

/** One node of an ONNX file. */
export interface ImportContext extends GraphBuilder {
  /** Version of the operator set the node belongs to. */
  readonly opset: number;
  readonly attrs: SourceAttrs;
  /** Number of inputs written in the source, trailing absent ones left out. */
  readonly inputCount: number;
  /** Number of outputs that the source names. */
  readonly outputCount: number;
  /** The nodes that read the first output; null stands for the graph, whose output it is. */
  readonly readers: readonly (Pick<ImportContext, 'type' | 'attrs'> | null)[];
  /** Input `i`; throws a model error if it is absent. */
  input(i: number): Value;
  optional(i: number): Value | null;
  /** Input `i`, which must be a constant: throws a model error saying so otherwise. */
  constant(i: number): Tensor;
  /** Input `i` as plain numbers, or null where absent; must be constant. */
  numbers(i: number): number[] | null;
  /** Whether input `i` is there and only known when the network runs. */
  isComputed(i: number): boolean;
  /**
   * The shape that the model states for output `i`, in place of operand `operand`, which would say it and is computed;
   * throws a model error, as `constant` does, where the model leaves it open, and where it has not the rank that the
   * operator gives.
   */
  statedShape(i: number, operand: number, rank?: number): readonly number[];
}

/** Reads one source node; returns the values of its outputs, in order. */
export type OnnxImporter = (context: ImportContext) => Value | readonly Value[];

/** Attributes of a Paddle op, with the op's defaults given by the importer; numbers of every width are numbers. */
export interface PaddleAttrs {
  int(name: string, fallback?: number): number;
  float(name: string, fallback?: number): number;
  string(name: string, fallback?: string): string;
  /** A boolean; old files write some as integers. */
  bool(name: string, fallback?: boolean): boolean;
  ints(name: string, fallback?: readonly number[]): number[];
  floats(name: string, fallback?: readonly number[]): number[];
  has(name: string): boolean;
}

/** Real numbers, and the steps in which another value counts them. */
export interface PlainCodes {
  readonly real: Value;
  readonly units: readonly number[];
}

/** One op of a Paddle program. Operands stand in named slots, each a list of variables. */
export interface PaddleContext extends GraphBuilder {
  readonly attrs: PaddleAttrs;
  /** The first variable of a slot; throws a model error if it is absent. */
  input(slot: string): Value;
  optional(slot: string): Value | null;
  /** All variables of a slot. */
  list(slot: string): Value[];
  /** A slot whose variable must be constant. */
  constant(slot: string): Tensor;
  /** The constant content of a slot's variables one after another as plain numbers, or null where absent. */
  numbers(slot: string): number[] | null;
  /** How many variables an output slot names. */
  outputCount(slot: string): number;
  /** Whether anything reads an output slot. */
  isRead(slot: string): boolean;
  /** Remembers that a value holds the codes of reals as plain numbers: real = value * units, one or per channel. */
  noteCodes(value: Value, codes: PlainCodes): void;
  /** What was remembered of a value. */
  codesOf(value: Value): PlainCodes | null;
}

/**
 * Reads one Paddle op; returns the value of its main output (Out, Output or Y, the first that the op has), the list of
 * values of that slot, or values by slot.
 */
export type PaddleImporter = (
  context: PaddleContext,
) => Value | readonly Value[] | Readonly<Record<string, Value | readonly Value[]>>;
