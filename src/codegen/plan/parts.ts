import type { Graph, Node, Value } from '../../ir/graph.js';
import { isCodes, sameQuant } from '../../ir/type.js';
import type { TensorStorage } from '../kernel.js';
import type { Place } from '../lowering.js';

/** A value that is written where a concat wants it: into a part of the concat's result. */
export interface Part extends Place {
  /** The value of the result. */
  readonly whole: number;
}

/** Ops whose kernels write images with any distance between pixels, so that channels of others may lie between. */
const WRITES_PIXELS_APART = new Set([
  'concat',
  'conv2d',
  'depthwise_conv2d',
  'dequantize',
  'elementwise_add',
  'elementwise_mul',
  'elementwise_sub',
  'pool2d',
  'quantize',
  'relu',
  'relu6',
  'requantize',
]);

/**
 * The operands of concats that need no copy: whoever makes them writes them into the result. The concat is their only
 * reader, they are stored as the result is, on the same grid, and their kernels can leave room between rows or pixels.
 */
export function findParts(graph: Graph, storageOf: (value: Value) => TensorStorage): ReadonlyMap<number, Part> {
  const parts = new Map<number, Part>();
  const [consumers, producers] = [graph.consumers(), graph.producers()];
  for (const node of graph.nodes) {
    if (node.op !== 'concat') continue;
    const whole = graph.output(node);
    const axis = (node.attrs.axis as number) + ((node.attrs.axis as number) < 0 ? whole.type.shape.length : 0);
    let start = 0;
    for (const id of node.inputs as number[]) {
      const value = graph.value(id);
      const alone = consumers.get(id)?.length === 1 && !graph.isOutput(id) && !value.data;
      const grid = !isCodes(whole.type) || sameQuant(value.type.quant, whole.type.quant);
      const maker = producers.get(id);
      if (alone && grid && maker && storageOf(value) === storageOf(whole) && canWrite(maker, whole, axis))
        parts.set(id, { whole: whole.id, axis, start });
      start += value.type.shape[axis] as number;
    }
  }
  return parts;
}

/** Whether the kernels of a node can write a part: a block of memory, rows of an image, or channels between others. */
function canWrite(maker: Node, { type: { shape } }: Value, axis: number): boolean {
  if (shape.slice(0, axis).every((n) => n === 1) && (shape.length !== 4 || axis !== 1)) return true;
  return shape.length === 4 && (axis !== 1 || WRITES_PIXELS_APART.has(maker.op));
}
