import type { Isa } from './codegen/kernel.js';
import { productIsa } from './codegen/select.js';
import type { Graph, Node } from './ir/graph.js';
import { isCodes, sizeOf, type TensorType } from './ir/type.js';
import type { ConvAttrs } from './ops/conv-shared.js';
import { winogradApplies } from './ops/lowering/winograd.js';
import type { Arithmetic, ProductInfo } from './runtime/abi.js';

/** What the operands allow: with codes pairs always, the others where ranges and geometry permit. */
function allowed(graph: Graph, node: Node, target: Isa): Arithmetic[] {
  const [x, w] = [graph.input(node, 0), graph.input(node, 1)];
  const winograd = node.op === 'conv2d' && winogradApplies(node.attrs as ConvAttrs, [x.type, w.type]);
  if (!isCodes(x.type) || !isCodes(w.type))
    return ['reals', ...(winograd && w.data !== undefined ? ['winograd of reals' as const] : [])];
  return [
    'pairs',
    ...(w.data !== undefined && productIsa(target, x.range, w.range) === 'relaxed' ? ['bytes' as const] : []),
    ...(winograd ? ['winograd' as const] : []),
  ];
}

function convolution(node: Node, w: TensorType, output: TensorType): Omit<ProductInfo, 'allows'> {
  const { groups } = node.attrs as ConvAttrs;
  const [filters, perGroup, kh, kw] = w.shape as [number, number, number, number];
  const [n, , oh, ow] = output.shape as [number, number, number, number];
  const depthwise = perGroup === 1 && filters === groups;
  const shape = { pixels: [n * oh, ow], inner: perGroup * kh * kw, window: [kh, kw] } as const;
  return depthwise
    ? { kind: 'depthwise', columns: filters, groups: 1, ...shape }
    : { kind: 'dense', columns: filters, groups, ...shape };
}

/** The shape of a convolution or of a product with weights; undefined for all other ops. */
export function describeProduct(graph: Graph, node: Node, target: Isa): ProductInfo | undefined {
  const output = graph.output(node).type;
  if (node.op === 'conv2d' || node.op === 'depthwise_conv2d')
    return { ...convolution(node, graph.input(node, 1).type, output), allows: allowed(graph, node, target) };
  if (node.op !== 'fc' && node.op !== 'mul') return undefined;
  const columns = output.shape.at(-1) ?? 1;
  const inner = graph.input(node, 0).type.shape.at(-1) ?? 1;
  const pixels = [1, columns === 0 ? 0 : sizeOf(output.shape) / columns] as const;
  return { kind: 'dense', pixels, columns, groups: 1, inner, window: [1, 1], allows: allowed(graph, node, target) };
}
