import type { Attrs, Graph, Node } from '../ir/graph.js';
import type { Patch } from '../ir/patch.js';
import { f32 } from '../ir/tensor.js';
import { realType } from '../ir/type.js';
import { cancelTransposes } from './cancel-transposes.js';
import { geluPattern } from './gelu-pattern.js';
import { isPrivate, type Links, linksOf, producerOf } from './match.js';
import { normalizationOf } from './normalization.js';
import type { Pass } from './pass.js';

type Rule = (graph: Graph, node: Node, patch: Patch, links: Links) => void;

/**
 * Before:     several spellings of one idea
 * After:      one form: conv2d with groups = channels -> depthwise_conv2d; clip(0, 6) -> relu6, clip(0, inf) -> relu;
 *             batch_norm of other ranks than 4 -> a product and a sum; x * hard_sigmoid(x) -> hard_swish,
 *             x * sigmoid(x) -> swish; x * (1 + erf(x / sqrt(2))) / 2 -> gelu; a mean over the plane -> global average pool; assign and
 *             transposes that cancel vanish
 * Formula:    k = gamma / sqrt(var + eps), y = x * k + (beta - mean * k), in float64, rounded once
 */
export const canonicalize: Pass = {
  name: 'canonicalize',
  doc: 'one form per idea',
  numbers: 'close',
  run(graph, patch) {
    patch.rule = 'drop-assign';
    for (const node of [...graph.nodes]) if (node.op === 'assign') dropAssign(graph, node, patch);
    const links = linksOf(graph);
    for (const node of [...graph.nodes]) {
      const named = RULES[node.op];
      if (!named) continue;
      patch.rule = named.name;
      named.apply(graph, node, patch, links);
    }
  },
};

const depthwise: Rule = (graph, node, patch) => {
  const channels = graph.input(node, 0).type.shape[1];
  const filters = graph.input(node, 1).type.shape[0];
  if (channels !== 1 && node.attrs.groups === channels && filters === channels)
    patch.rewrite(node, 'depthwise_conv2d', node.attrs);
};

const clip: Rule = (_graph, node, patch) => {
  const { min, max, ...rest } = node.attrs as Attrs & { min: number | null; max: number | null };
  const high = max ?? Number.POSITIVE_INFINITY;
  if (min !== 0 || node.attrs.onCodes) return;
  if (high === 6) patch.rewrite(node, 'relu6', rest);
  else if (high >= 3.4028234663852886e38) patch.rewrite(node, 'relu', rest);
};

/** Of other ranks than 4: images wait for the convolution in front of them (fold-batch-norm.ts). */
const batchNorm: Rule = (graph, node, patch) => {
  const out = graph.output(node);
  const norm = out.type.shape.length === 4 ? null : normalizationOf(graph, node);
  if (!norm) return;
  const shape = [norm.k.length, ...out.type.shape.slice(2).map(() => 1)];
  const scale = patch.addConstant(`${out.name}/scale`, f32(shape, Float32Array.from(norm.k)));
  const shift = patch.addConstant(`${out.name}/shift`, f32(shape, Float32Array.from(norm.shift)));
  const scaled = [{ name: `${out.name}/scaled`, type: realType(out.type) }];
  const inputs = [node.inputs[0] as number, scale.id];
  const product = patch.addNode({ op: 'elementwise_mul', attrs: { activation: null }, inputs, outputs: scaled }, node);
  node.inputs = [product.outputs[0] as number, shift.id];
  patch.rewrite(node, 'elementwise_add', { activation: null });
};

function dropAssign(graph: Graph, node: Node, patch: Patch): void {
  const from = graph.input(node, 0);
  patch.replaceValue(graph.output(node).id, from.id);
  patch.remove(node, { host: null, how: 'an identity' });
}

/** x * gate(x) with a gate that nobody else reads. */
const gatedProduct: Rule = (_graph, node, patch, links) => {
  for (const slot of [0, 1]) {
    const gate = producerOf(links, node, slot, GATES);
    if (!gate || !isPrivate(links, gate) || gate.inputs[0] !== node.inputs[1 - slot]) continue;
    const swish = gate.op === 'sigmoid' ? { op: 'swish', attrs: {} } : hardSwishOf(gate.attrs);
    if (!swish) continue;
    node.inputs = [gate.inputs[0] as number];
    patch.rewrite(node, swish.op, swish.attrs);
    patch.fuse(gate, node);
    return;
  }
};

const GATES = new Set(['hard_sigmoid', 'sigmoid']);

/** A mean over the image plane is a global average pool, reshaped where the plane is not kept. */
const planeMean: Rule = (graph, node, patch) => {
  const { shape } = graph.input(node, 0).type;
  const axes = node.attrs.axes as readonly number[];
  if (shape.length !== 4 || axes.join() !== '2,3') return;
  const window = { ksize: [1, 1], strides: [1, 1], pads: [0, 0, 0, 0], dilations: [1, 1] };
  const attrs = { poolType: 'avg', ...window, global: true, countIncludePad: false, ceilMode: false };
  if (!node.attrs.keepDims) {
    const out = graph.output(node);
    const type = { ...out.type, shape: [...out.type.shape, 1, 1] };
    const pool = patch.addNode(
      { op: 'pool2d', attrs, inputs: node.inputs, outputs: [{ name: `${out.name}/pooled`, type }] },
      node,
    );
    patch.swapIds(pool, node);
    patch.keepName(pool, node.op);
    node.inputs = [...pool.outputs];
    patch.rewrite(node, 'reshape2', { shape: out.type.shape });
  } else patch.rewrite(node, 'pool2d', attrs);
};

function hardSwishOf(gate: Attrs): { op: string; attrs: Attrs } | null {
  const sixth = Math.abs(Number(gate.slope) - 1 / 6) < 1e-6;
  return sixth && gate.offset === 0.5 ? { op: 'hard_swish', attrs: { threshold: 6, scale: 6, offset: 3 } } : null;
}

/** The rules by the op that they start from. */
const RULES: Readonly<Record<string, { readonly name: string; readonly apply: Rule }>> = {
  conv2d: { name: 'depthwise', apply: depthwise },
  clip: { name: 'clip-to-relu', apply: clip },
  batch_norm: { name: 'batch-norm', apply: batchNorm },
  elementwise_mul: { name: 'gated-product', apply: gatedProduct },
  erf: { name: 'gelu', apply: geluPattern },
  reduce_mean: { name: 'mean-to-pool', apply: planeMean },
  transpose2: { name: 'cancel-transposes', apply: cancelTransposes },
};
