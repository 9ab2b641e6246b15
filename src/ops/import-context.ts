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
 * What an importer works with: one node of the source file. Every helper that throws names the node.
 * Constant subexpressions on integers (shape arithmetic) are folded while importing, so that shapes and axes
 * computed by the source graph are constants here.
 */
export interface ImportContext {
  /** Version of the operator set the node belongs to. */
  readonly opset: number;
  readonly type: string;
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

/** Reads one source node; returns the values of its outputs, in order. */
export type OnnxImporter = (context: ImportContext) => Value | readonly Value[];
