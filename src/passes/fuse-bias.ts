import type { Graph, Node, Value } from '../ir/graph.js';
import { type Tensor, tensor } from '../ir/tensor.js';
import { sameShape } from '../ir/type.js';
import { absorb, isPrivate, linksOf, producerOf } from './match.js';
import type { Pass } from './pass.js';

/** Ops that take a bias as input 2, and the axis of their output that it runs along. */
const TAKES_BIAS = new Set(['conv2d', 'depthwise_conv2d', 'conv2d_transpose', 'mul']);

/**
 * Before:     y = elementwise_add(conv(x, w), b) or elementwise_add(mul(x, w), b), b a constant per channel, real or codes of int32
 * After:      y = conv(x, w, b), or fc(x, w, b) for a product
 * Conditions: the product is unrounded, without a bias, of the shape of the sum, and read by nobody else
 * Formula:    x * w + b with one rounding: the sum was unrounded in between
 */
export const fuseBias: Pass = {
  name: 'fuse-bias',
  doc: 'a constant added per channel becomes the bias; product + bias becomes fc',
  numbers: 'close',
  run(graph, patch) {
    const links = linksOf(graph);
    for (const node of [...graph.nodes]) {
      if (node.op !== 'elementwise_add') continue;
      for (const slot of [0, 1]) {
        const host = producerOf(links, node, slot, TAKES_BIAS);
        const other = graph.input(node, 1 - slot);
        if (!host || !isPrivate(links, host) || graph.optionalInput(host, 2) || host.attrs.activation) continue;
        if (!sameShape(graph.output(host).type.shape, graph.output(node).type.shape)) continue;
        if (!isPerChannel(graph, host, other)) continue;
        patch.addInput(host, 2, patch.addConstant(`${other.name}/bias`, asList(other)).id);
        if (host.op === 'mul') patch.rewrite(host, 'fc', { ...host.attrs, activation: node.attrs.activation ?? null });
        else patch.rewrite(host, host.op, { ...host.attrs, activation: node.attrs.activation ?? null });
        patch.takeOutput(host, node);
        patch.fuse(node, host);
        absorb(links, node, host);
        break;
      }
    }
  },
};

/** A constant as a list; codes of int32 stay codes, as those of biases do. */
function asList({ type, data }: Value): Tensor {
  const list = data?.data as Float32Array | Int32Array;
  const { quant } = type;
  const axis = quant && quant.axis !== null ? 0 : null;
  return tensor({ ...type, shape: [list.length], ...(quant ? { quant: { ...quant, axis } } : {}) }, list);
}

function isPerChannel(graph: Graph, host: Node, b: Value): boolean {
  const out = graph.output(host).type.shape;
  const axis = host.op === 'mul' ? out.length - 1 : 1;
  const channels = out[axis] as number;
  if (!b.data || (b.type.quant && b.type.dtype !== 'i32') || b.data.data.length !== channels) return false;
  const aligned = out.length - b.type.shape.length;
  return b.type.shape.every((d, i) => (i + aligned === axis ? d === channels : d === 1));
}
