import type { Graph, Node } from '../../ir/graph.js';
import { filterAxis } from '../../passes/int8-rules.js';

/** How the sums of a layer read its operand and its weights. */
export interface Patches {
  readonly groups: number;
  /** Output channels, and the dimension of the weights that runs over them. */
  readonly channels: number;
  readonly axis: number;
  /** Operands of one sum. */
  readonly size: number;
  groupOf(channel: number): number;
  /** Gives the operands of about `count` sums per group, spread evenly over the places; `phase` moves them. */
  visit(data: Float32Array, count: number, phase: number, see: (row: Float64Array, group: number) => void): void;
  readFilter(weights: Float32Array | Int8Array, channel: number, into: Float64Array): void;
  writeFilter(weights: Int8Array, channel: number, codes: Int8Array): void;
}

/** Places of a set of `total` that `count` of them stand for. */
function* placesOf(total: number, count: number, phase: number): Iterable<number> {
  const n = Math.min(total, count);
  const offset = (phase * 0.6180339887) % 1;
  for (let i = 0; i < n; i++) yield Math.floor(((i + offset) * total) / n);
}

/** The patches of a convolution or a product with constant weights; null for other nodes. */
export function patchesOf(graph: Graph, node: Node): Patches | null {
  if (node.op === 'mul' || node.op === 'fc') return productPatches(graph, node);
  return node.op === 'conv2d' || node.op === 'depthwise_conv2d' ? convPatches(graph, node) : null;
}

function productPatches(graph: Graph, node: Node): Patches | null {
  const { shape } = graph.input(node, 1).type;
  if (shape.length !== 2) return null;
  const axis = filterAxis(node);
  const [channels, size] = [shape[axis] as number, shape[1 - axis] as number];
  const at = (c: number, i: number): number => (axis === 0 ? c * size + i : i * channels + c);
  return {
    ...{ groups: 1, channels, axis, size },
    groupOf: () => 0,
    visit(data, count, phase, see) {
      for (const place of placesOf(data.length / size, count, phase))
        see(Float64Array.from(data.subarray(place * size, (place + 1) * size)), 0);
    },
    readFilter(weights, c, into) {
      for (let i = 0; i < size; i++) into[i] = weights[at(c, i)] as number;
    },
    writeFilter(weights, c, codes) {
      for (let i = 0; i < size; i++) weights[at(c, i)] = codes[i] as number;
    },
  };
}

function convPatches(graph: Graph, node: Node): Patches {
  const [x, w] = [graph.input(node, 0).type.shape, graph.input(node, 1).type.shape] as [number[], number[]];
  const y = graph.output(node).type.shape as number[];
  const { strides, pads, dilations, groups } = node.attrs as {
    strides: number[];
    pads: number[];
    dilations: number[];
    groups: number;
  };
  const [images, , height, width] = x as [number, number, number, number];
  const [channels, inner, kh, kw] = w as [number, number, number, number];
  const [oh, ow] = [y[2], y[3]] as [number, number];
  const size = inner * kh * kw;
  const row = new Float64Array(size);
  const read = (data: Float32Array, place: number, group: number): Float64Array => {
    const image = Math.floor(place / (oh * ow));
    const [oy, ox] = [Math.floor(place / ow) % oh, place % ow];
    const first = (image * groups + group) * inner;
    for (let c = 0, i = 0; c < inner; c++)
      for (let ky = 0; ky < kh; ky++) {
        const iy = oy * (strides[0] as number) - (pads[0] as number) + ky * (dilations[0] as number);
        for (let kx = 0; kx < kw; kx++, i++) {
          const ix = ox * (strides[1] as number) - (pads[1] as number) + kx * (dilations[1] as number);
          const inside = iy >= 0 && iy < height && ix >= 0 && ix < width;
          row[i] = inside ? (data[((first + c) * height + iy) * width + ix] as number) : 0;
        }
      }
    return row;
  };
  const perGroup = channels / groups;
  return {
    ...{ groups, channels, axis: 0, size },
    groupOf: (c) => Math.floor(c / perGroup),
    visit(data, count, phase, see) {
      for (const place of placesOf(images * oh * ow, count, phase))
        for (let g = 0; g < groups; g++) see(read(data, place, g), g);
    },
    readFilter(weights, c, into) {
      for (let i = 0; i < size; i++) into[i] = weights[c * size + i] as number;
    },
    writeFilter: (weights, c, codes) => weights.set(codes, c * size),
  };
}
