/**
 * Single elements of int8 nodes in exact arithmetic: what the node means as real numbers, in float64, straight from the
 * codes. Shares nothing with src/ops, so that it can decide between an op's integer arithmetic and another evaluation.
 */
import type { Graph, Node } from '../../src/ir/graph.js';
import type { Tensor } from '../../src/ir/tensor.js';

type Numbers = readonly number[];

/** The real number behind element `i` of a tensor: (code - zero) * scale in float64, or the element itself. */
function real(t: Tensor, i: number): number {
  const q = t.type.quant;
  const v = Number(t.data[i]);
  if (!q || t.type.dtype === 'f32') return v;
  const step = q.axis === null ? 1 : t.type.shape.slice(q.axis + 1).reduce((a, b) => a * b, 1);
  const slice = q.axis === null ? 0 : Math.floor(i / step) % (t.type.shape[q.axis] as number);
  return (v - (q.zeroPoints[slice] as number)) * (q.scales[slice] as number);
}

/** An element index as indices per dimension. */
function unravel(index: number, shape: Numbers): number[] {
  const at: number[] = [];
  let rest = index;
  for (let d = shape.length - 1; d >= 0; d--) {
    at.unshift(rest % (shape[d] as number));
    rest = Math.floor(rest / (shape[d] as number));
  }
  return at;
}

const ravel = (at: Numbers, shape: Numbers): number => at.reduce((n, v, d) => n * (shape[d] as number) + v, 0);

/** The element of an operand that broadcasts to an output element. */
const broadcast = (at: Numbers, shape: Numbers): number =>
  ravel(
    shape.map((d, i) => (d === 1 ? 0 : (at[at.length - shape.length + i] as number))),
    shape,
  );

/** Calls `visit` with the input row and column and the tap of a window, for taps inside of the image. */
function taps(
  a: Node['attrs'],
  size: Numbers,
  k: Numbers,
  at: Numbers,
  visit: (y: number, x: number, tap: number) => void,
) {
  const [strides, pads, dilations] = [a.strides, a.pads, a.dilations] as Numbers[] as [Numbers, Numbers, Numbers];
  const place = (d: 0 | 1, tap: number): number =>
    (at[d] as number) * (strides[d] as number) - (pads[d] as number) + tap * (dilations[d] as number);
  for (let i = 0; i < (k[0] as number); i++)
    for (let j = 0; j < (k[1] as number); j++) {
      const [y, x] = [place(0, i), place(1, j)];
      if (y >= 0 && y < (size[0] as number) && x >= 0 && x < (size[1] as number)) visit(y, x, i * (k[1] as number) + j);
    }
}

function convolution(node: Node, inputs: readonly (Tensor | null)[], at: Numbers): number {
  const [x, w] = inputs as [Tensor, Tensor];
  const [, c, h, width] = x.type.shape as [number, number, number, number];
  const [filters, perGroup, kh, kw] = w.type.shape as [number, number, number, number];
  const [n, filter, oy, ox] = at as [number, number, number, number];
  const first = Math.floor(filter / (filters / Number(node.attrs.groups))) * perGroup;
  let sum = 0;
  taps(node.attrs, [h, width], [kh, kw], [oy, ox], (y, col, tap) => {
    for (let i = 0; i < perGroup; i++)
      sum += real(x, ((n * c + first + i) * h + y) * width + col) * real(w, (filter * perGroup + i) * kh * kw + tap);
  });
  return sum + (inputs[2] ? real(inputs[2], filter) : 0);
}

function product(node: Node, inputs: readonly (Tensor | null)[], at: Numbers): number {
  const [x, w] = inputs as [Tensor, Tensor];
  const [rows, cols] = w.type.shape as [number, number];
  const column = at.at(-1) as number;
  const k = node.attrs.transposeWeights ? cols : rows;
  const start = ravel([...at.slice(0, -1), 0], x.type.shape);
  let sum = 0;
  for (let i = 0; i < k; i++)
    sum += real(x, start + i) * real(w, node.attrs.transposeWeights ? column * cols + i : i * cols + column);
  return sum + (inputs[2] ? real(inputs[2], column) : 0);
}

function pool(node: Node, x: Tensor, at: Numbers): number {
  const { attrs } = node;
  const [, c, h, w] = x.type.shape as [number, number, number, number];
  const [n, channel, oy, ox] = at as [number, number, number, number];
  const whole = { strides: [1, 1], pads: [0, 0, 0, 0], dilations: [1, 1] };
  const values: number[] = [];
  const ksize = attrs.global ? [h, w] : (attrs.ksize as Numbers);
  taps(attrs.global ? whole : attrs, [h, w], ksize, [oy, ox], (y, col) => {
    values.push(real(x, ((n * c + channel) * h + y) * w + col));
  });
  if (attrs.poolType === 'max') return Math.max(...values);
  const count = attrs.countIncludePad ? (ksize[0] as number) * (ksize[1] as number) : values.length;
  return values.reduce((a, b) => a + b, 0) / count;
}

function activate(v: number, activation: Node['attrs'] | null | undefined): number {
  const limit = (x: number, lo: number, hi: number): number => Math.min(Math.max(x, lo), hi);
  const a = activation as { [key: string]: number } | null | undefined;
  switch (activation?.kind) {
    case undefined:
      return v;
    case 'relu':
      return Math.max(v, 0);
    case 'relu6':
      return limit(v, 0, 6);
    case 'clip':
      return limit(v, a?.min as number, a?.max as number);
    case 'hard_swish':
      return (v * limit(v + (a?.offset as number), 0, a?.threshold as number)) / (a?.scale as number);
    case 'hard_sigmoid':
      return limit(v * (a?.slope as number) + (a?.offset as number), 0, 1);
    default:
      throw new Error(`no exact form of ${String(activation?.kind)}`);
  }
}

/** The exact real result of element `index` of the node's output, before it is rounded to a grid. */
export function exactReal(graph: Graph, node: Node, inputs: readonly (Tensor | null)[], index: number): number {
  const { shape } = graph.output(node).type;
  const at = unravel(index, shape);
  const [x, y] = inputs as [Tensor, Tensor];
  const elementwise = (): [number, number] => [
    real(x, broadcast(at, x.type.shape)),
    real(y, broadcast(at, y.type.shape)),
  ];
  const activation = node.attrs.activation as Node['attrs'] | null | undefined;
  switch (node.op) {
    case 'conv2d':
    case 'depthwise_conv2d':
      return activate(convolution(node, inputs, at) + (inputs[3] ? real(inputs[3], index) : 0), activation);
    case 'mul':
    case 'fc':
      return activate(product(node, inputs, at), activation);
    case 'elementwise_add':
      return activate(
        elementwise().reduce((a, b) => a + b),
        activation,
      );
    case 'elementwise_mul':
      return activate(
        elementwise().reduce((a, b) => a * b),
        activation,
      );
    case 'pool2d':
      return pool(node, x, at);
    case 'quantize':
    case 'requantize':
    case 'dequantize':
    case 'reshape2':
      return real(x, index);
    default:
      throw new Error(`no exact form of ${node.op} (${node.id})`);
  }
}
