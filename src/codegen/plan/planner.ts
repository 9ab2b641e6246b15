import type { Graph, Node, Value } from '../../ir/graph.js';
import { byteSize } from '../../ir/tensor.js';
import { isCodes, type Quant, sameShape, type TensorType } from '../../ir/type.js';
import type { Op } from '../../ops/op.js';
import { assert, modelError, QcError } from '../../support/errors.js';
import type { ByteType } from '../builder/convert.js';
import { eraseKernel, type Isa, type KernelDef, STORAGE_BYTES, type TensorStorage } from '../kernel.js';
import { borderKernel } from '../kernels/border.js';
import { fillKernel } from '../kernels/fill.js';
import { mapKernel } from '../kernels/map.js';
import {
  type Arg,
  asWords,
  type Halo,
  type LayoutNeed,
  laneStorage,
  NO_HALO,
  partOf,
  type Ref,
  refOf,
  samePlace,
  type View,
} from '../lowering.js';
import { DataPool } from './data-pool.js';
import { canonicalView, covers, elementsFor, isContiguous, maxHalo, meets, rowMajorView } from './layout.js';
import { NodeContext } from './node-context.js';
import { findParts, type Part } from './parts.js';
import type { Border, Buffer, Call, Plan } from './plan.js';
import { chooseStorages, plainStorage } from './storage.js';

/** A grid as the description of a tensor has it. */
const borderGrid = (quant: Quant | undefined): { scale?: number; zeroPoint?: number } =>
  quant && quant.axis === null ? { scale: quant.scales[0] as number, zeroPoint: quant.zeroPoints[0] as number } : {};

/** Builds a plan: gives every value a layout and a buffer, and collects the kernel calls of every node. */
export class Planner {
  readonly graph: Graph;
  readonly buffers: Buffer[] = [];
  readonly data: DataPool;
  private readonly ops: ReadonlyMap<string, Op>;
  private readonly calls: Call[] = [];
  private readonly views = new Map<number, View>();
  /** The values in each buffer that a node may still read. */
  private readonly tenants = new Map<number, Set<number>>();
  /** Copies of values in other layouts, by value. */
  private readonly copies = new Map<number, View[]>();
  private readonly halos = new Map<number, Halo>();
  private readonly inputs: Border[] = [];
  private readonly outputs: Border[] = [];
  /** Instructions that kernels may use. */
  readonly target: Isa;
  /** Whether weights are stored in the order of the simd target, which another module shares. */
  readonly sharesWeights: boolean;
  private readonly storages: ReadonlyMap<number, TensorStorage>;
  private readonly parts: ReadonlyMap<number, Part>;
  /** Nodes that are not lowered yet, the current one not included. */
  private readonly waiting: Set<Node>;
  private readonly consumers: ReturnType<Graph['consumers']>;

  constructor(graph: Graph, ops: ReadonlyMap<string, Op>, target: Isa = 'simd', sharesWeights = false) {
    this.graph = graph;
    this.ops = ops;
    this.target = target;
    this.sharesWeights = sharesWeights;
    this.storages = chooseStorages(graph, ops, target);
    this.parts = findParts(graph, (value) => this.storageOf(value));
    this.waiting = new Set(graph.nodes);
    this.consumers = graph.consumers();
    this.data = new DataPool(this.buffers);
  }

  /** Plans the whole graph. Throws a model error for a node that has no lowering. */
  plan(): Plan {
    this.checkLowerings();
    this.collectHalos();
    for (const id of this.graph.inputs) this.addInput(this.graph.value(id));
    for (const node of this.graph.nodes) this.lower(node);
    for (const output of this.graph.outputs) this.addOutput(output.value, output.name);
    const { buffers, calls, inputs, outputs, views } = this;
    return { buffers, calls, init: this.data.init, inputs, outputs, views };
  }

  /** All ops without a kernel are reported at once. */
  private checkLowerings(): void {
    const missing = this.graph.nodes.filter((node) => !this.ops.get(node.op)?.lower);
    if (missing.length === 0) return;
    const names = missing.map((n) => `  ${n.origin.type} (${n.id}) "${n.origin.name}": ${n.op} has no kernel`);
    throw modelError(`${missing.length} op${missing.length === 1 ? '' : 's'} cannot be compiled:\n${names.join('\n')}`);
  }

  /** The zero border that the readers of each value need around it. */
  private collectHalos(): void {
    for (const node of this.graph.nodes) {
      const op = this.ops.get(node.op);
      node.inputs.forEach((id, slot) => {
        if (id === null || !op?.halo || this.graph.value(id).data) return;
        const types = node.inputs.map((i) => (i === null ? null : this.graph.value(i).type));
        this.halos.set(id, maxHalo(this.halos.get(id) ?? NO_HALO, op.halo(node.attrs, types, slot)));
      });
    }
  }

  private addInput(value: Value): void {
    const { name, type } = value;
    const { dtype, shape } = type;
    const count = elementsFor(shape, NO_HALO);
    const buffer = this.addBuffer('input', count * byteSize(dtype), name);
    const direct = dtype === 'f32' || dtype === 'i64';
    this.setView(value.id, direct ? rowMajorView(buffer, dtype, shape) : this.enter(buffer, dtype, shape));
    const grid = this.gridOf(value.id, 'consumer');
    this.inputs.push({ buffer, info: { name, dtype, shape, ...grid } });
  }

  /** Values of other dtypes that come in, as what kernels compute with. */
  private enter(buffer: number, dtype: ByteType | 'i32', shape: readonly number[]): View {
    const count = elementsFor(shape, NO_HALO);
    const storage = plainStorage(dtype);
    const view = rowMajorView(this.addBuffer('arena', count * STORAGE_BYTES[storage], 'input'), storage, shape);
    const args = [{ buffer, offset: 0 }, refOf(view), count, ...(dtype === 'i32' ? [] : [0])];
    if (count > 0) this.call(borderKernel, { direction: 'enter', dtype }, args, -1);
    return view;
  }

  /** What kernels compute with (or codes) to an output of its own dtype. */
  private leave(view: View, type: TensorType & { dtype: ByteType | 'i32' }, buffer: number): void {
    const { dtype, shape, quant } = type;
    const count = elementsFor(shape, NO_HALO);
    if (count === 0) return;
    const storage = plainStorage(dtype);
    const plain = rowMajorView(this.addBuffer('arena', count * STORAGE_BYTES[storage], 'output'), storage, shape);
    if (view.storage === storage) this.copy(view, plain, -1);
    else {
      const op = { kind: 'dequantize' } as const;
      const strides = { source: view.strides, target: plain.strides };
      const params = { dims: shape, ...strides, from: laneStorage(view), to: laneStorage(plain), op };
      this.call(mapKernel, params, [refOf(view), refOf(plain), 1], -1);
    }
    const offset = dtype === 'i32' ? [] : [quant?.zeroPoints[0] ?? 0];
    const args = [refOf(plain), { buffer, offset: 0 }, count, ...offset];
    this.call(borderKernel, { direction: 'leave', dtype }, args, -1);
  }

  /** The grid at the border: of the quantize that reads an input, of the dequantize that gives an output. */
  private gridOf(id: number, side: 'consumer' | 'producer'): { scale?: number; zeroPoint?: number } {
    const quant =
      side === 'consumer'
        ? this.graph.nodes
            .filter((n) => n.op === 'quantize' && n.inputs[0] === id)
            .map((n) => this.graph.output(n).type.quant)[0]
        : this.graph.nodes
            .filter((n) => n.op === 'dequantize' && n.outputs[0] === id)
            .map((n) => this.graph.input(n, 0).type.quant)[0];
    return borderGrid(quant);
  }

  private addOutput(id: number, name: string): void {
    const { type } = this.graph.value(id);
    const { dtype, shape } = type;
    if (isCodes(type) && type.quant?.axis !== null)
      throw modelError(`output "${name}" holds codes with a scale per channel, which is not supported`);
    const view = this.viewOf(id);
    let buffer = view.buffer;
    const own = this.buffers[buffer]?.kind === 'output' && !this.outputs.some((o) => o.buffer === buffer);
    const bytes = elementsFor(shape, NO_HALO) * byteSize(dtype);
    if (dtype !== 'f32' && dtype !== 'i64') {
      buffer = this.addBuffer('output', bytes, name);
      this.leave(view, { ...type, dtype }, buffer);
    } else if (!own || !isContiguous(view) || view.offset !== 0) {
      buffer = this.addBuffer('output', bytes, name);
      this.copy(view, rowMajorView(buffer, dtype, shape), -1);
    }
    const grid = isCodes(type) ? borderGrid(type.quant) : this.gridOf(id, 'producer');
    this.outputs.push({ buffer, info: { name, dtype, shape, ...grid } });
  }

  addBuffer(kind: Buffer['kind'], bytes: number, label: string): number {
    this.buffers.push({ kind, bytes: Math.max(bytes, 1), label });
    return this.buffers.length - 1;
  }

  private lower(node: Node): void {
    this.waiting.delete(node);
    try {
      this.ops.get(node.op)?.lower?.(new NodeContext(this, node), node.attrs);
    } catch (error) {
      if (error instanceof QcError || !(error instanceof Error) || error.constructor !== Error) throw error;
      const { id, op, origin } = node;
      throw modelError(`${op}: ${error.message}`, { node: `${origin.type} (${id}) "${origin.name}"`, cause: error });
    }
  }

  /** How a value is stored. */
  storageOf(value: Value): TensorStorage {
    return this.storages.get(value.id) ?? (isCodes(value.type) ? 'i16' : plainStorage(value.type.dtype));
  }

  /** The view of a value that has been computed, or of a constant, which becomes data. */
  viewOf(id: number): View {
    const known = this.views.get(id);
    if (known) return known;
    const value = this.graph.value(id);
    assert(value.data, `value %${id} is read before it is computed`);
    const view = this.data.constantView(value.data, this.storageOf(value));
    this.setView(id, view);
    return view;
  }

  /** A view of a value that meets a need; copies are made once and kept. */
  viewFor(id: number, need: LayoutNeed, node: number): View {
    const candidates = [this.viewOf(id), ...(this.copies.get(id) ?? [])];
    const fitting = candidates.find((v) => meets(v, need));
    if (fitting) return fitting;
    const source = candidates[0] as View;
    const { shape, storage } = source;
    const halo = need.nhwc ? maxHalo(need.nhwc, this.halos.get(id) ?? NO_HALO) : NO_HALO;
    const buffer = this.addBuffer('arena', elementsFor(shape, halo) * STORAGE_BYTES[storage], `copy of %${id}`);
    const target = need.contiguous ? rowMajorView(buffer, storage, shape) : canonicalView(buffer, storage, shape, halo);
    this.zeroHalo(target, node);
    this.copy(source, target, node);
    this.copies.set(id, [...(this.copies.get(id) ?? []), target]);
    return target;
  }

  /**
   * Allocates the buffer of a value in its layout. A module output is written in place where its layout allows, an
   * operand of a concat into its part of the result, which may be there already.
   */
  allocate(id: number, node: number): View {
    const known = this.views.get(id);
    if (known) return known;
    const value = this.graph.value(id);
    const { shape } = value.type;
    const part = this.parts.get(id);
    if (part) {
      const view = partOf(this.allocate(part.whole, node), part, shape);
      this.setView(id, view);
      return view;
    }
    const storage = this.storageOf(value);
    const halo = shape.length === 4 ? (this.halos.get(id) ?? NO_HALO) : NO_HALO;
    const bytes = elementsFor(shape, halo) * STORAGE_BYTES[storage];
    const trivial = isContiguous(canonicalView(0, storage, shape, NO_HALO)) && halo.every((v) => v === 0);
    const border = trivial && value.type.dtype === storage && this.graph.isOutput(id);
    const buffer = this.addBuffer(border ? 'output' : 'arena', bytes, value.name);
    const view = canonicalView(buffer, storage, shape, halo);
    this.setView(id, view);
    this.zeroHalo(view, node);
    return view;
  }

  /**
   * The memory of an operand for a result of the same shape and storage, where nobody reads that memory afterwards and
   * the node reads it through this operand only; null where this is not so.
   */
  reuse(id: number, node: Node, slot: number): View | null {
    const operand = node.inputs[slot];
    const value = this.graph.value(id);
    if (operand === null || operand === undefined || this.parts.has(id) || this.leaves(id)) return null;
    const view = this.views.get(operand);
    if (!view || this.buffers[view.buffer]?.kind !== 'arena' || view.storage !== this.storageOf(value)) return null;
    const canonical = canonicalView(view.buffer, view.storage, value.type.shape, view.halo);
    const halo = value.type.shape.length === 4 ? (this.halos.get(id) ?? NO_HALO) : NO_HALO;
    if (!sameShape(view.shape, value.type.shape) || !samePlace(view, canonical) || !covers(view.halo, halo))
      return null;
    if (node.inputs.some((other, i) => i !== slot && other !== null && this.views.get(other)?.buffer === view.buffer))
      return null;
    if (this.isReadLater(view.buffer)) return null;
    this.setView(id, view);
    return view;
  }

  /** Whether the value is an output of the module, of the model or tapped. */
  private leaves(id: number): boolean {
    return this.graph.outputs.some(({ value }) => value === id);
  }

  private isReadLater(buffer: number): boolean {
    const tenants = this.tenants.get(buffer) ?? new Set<number>();
    for (const id of tenants) {
      const isHere = this.views.get(id)?.buffer === buffer;
      const isRead = this.leaves(id) || this.consumers.get(id)?.some((c) => this.waiting.has(c.node));
      if (isHere && isRead) return true;
      tenants.delete(id); // nodes never wait again: a chain in one buffer would be quadratic
    }
    return false;
  }

  /** Gives a value the memory of a view. */
  setView(id: number, view: View): void {
    this.views.set(id, view);
    const tenants = this.tenants.get(view.buffer);
    if (tenants) tenants.add(id);
    else this.tenants.set(view.buffer, new Set([id]));
  }

  private zeroHalo(view: View, node: number): void {
    if (view.halo.every((v) => v === 0)) return;
    const [n, , height, width] = view.shape as [number, number, number, number];
    const [image, , row, pix] = view.strides as [number, number, number, number];
    const params = { kind: 'halo' as const, storage: laneStorage(view), height, width, pix, row, pads: view.halo };
    for (let i = 0; i < n; i++)
      this.call(fillKernel, params, [{ buffer: view.buffer, offset: i * image * STORAGE_BYTES[view.storage] }], node);
  }

  /** Copies elements between two views of one shape. */
  copy(source: View, target: View, node: number): void {
    const [from, to] = [asWords(source), asWords(target)];
    const params = {
      dims: from.shape,
      from: laneStorage(from),
      to: laneStorage(to),
      source: from.strides,
      target: to.strides,
      op: { kind: 'copy' as const },
    };
    this.call(mapKernel, params, [refOf(from), refOf(to)], node);
  }

  /** `task`: 0, or the number of the node's task that the call belongs to. */
  call<P extends object>(kernel: KernelDef<P>, params: P, args: readonly Arg[], node: number, task = 0): void {
    this.calls.push({ kernel: eraseKernel(kernel), params, args, node, ...(task > 0 && { task }) });
  }

  scratch(bytes: number, ofTask = false): Ref {
    const buffer = this.addBuffer('arena', bytes, 'scratch');
    if (ofTask) this.buffers[buffer] = { ...(this.buffers[buffer] as Buffer), ofTask };
    return { buffer, offset: 0 };
  }
}
