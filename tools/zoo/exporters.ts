/** Forms of a quantized network that are particular to an exporter: rewrites of a model in QDQ form. */
import type { AttrSpec, ModelSpec, NodeSpec, TensorSpec } from '../../test/support/onnx.js';
import { numbersOf, Rewriter } from './forms.js';

const isGrid = (node: NodeSpec): boolean => node.op === 'QuantizeLinear' || node.op === 'DequantizeLinear';

/** An initializer with its elements in another order of dimensions. */
function transposed(t: TensorSpec, perm: readonly number[]): TensorSpec {
  const strides = t.shape.map((_, d) => t.shape.slice(d + 1).reduce((a, b) => a * b, 1));
  const shape = perm.map((d) => t.shape[d] as number);
  const from = numbersOf(t);
  let places = [0];
  shape.forEach((n, i) => {
    const step = strides[perm[i] as number] as number;
    places = places.flatMap((place) => Array.from({ length: n }, (_, k) => place + k * step));
  });
  const { raw: _, ...rest } = t;
  return { ...rest, shape, data: places.map((place) => from[place] as number) };
}

/**
 * Before: Conv on weights [M,C,kh,kw], everything channels first; Gemm; Flatten; GlobalAveragePool
 * After:  weights [kh,kw,C,M] with a Transpose behind their DequantizeLinear, activations rounded channels last between two
 *         Transposes, MatMul and Add, Reshape, ReduceMean: as tf2onnx writes networks of TensorFlow
 */
export function asTf2onnx(spec: ModelSpec): ModelSpec {
  const r = new Rewriter(spec);
  const images = new Set(
    r.nodes.filter((n) => /^(Conv|MaxPool|GlobalAveragePool|Concat|Add)$/.test(n.op)).flatMap((n) => n.inputs ?? []),
  );
  const nodes = r.nodes.splice(0);
  const transpose = (x: string, perm: readonly number[], y: string): void => {
    r.nodes.push({ op: 'Transpose', name: `Transpose_${y}`, inputs: [x], outputs: [y], attrs: { perm } });
  };
  for (const node of nodes) {
    const [data = '', ...grid] = node.inputs ?? [];
    const [result = ''] = node.outputs ?? [];
    const codes = r.initializers[data];
    if (node.op === 'DequantizeLinear' && codes?.shape.length === 4) {
      r.initializers[`${data}_hwio`] = transposed(codes, [2, 3, 1, 0]);
      const attrs: Record<string, AttrSpec> = node.attrs?.axis === undefined ? {} : { axis: 3 };
      r.nodes.push({ ...node, inputs: [`${data}_hwio`, ...grid], outputs: [`${result}_hwio`], attrs });
      transpose(`${result}_hwio`, [3, 2, 0, 1], result);
    } else if (node.op === 'QuantizeLinear' && images.has(result.replace(/_quantized$/, '_dequantized'))) {
      transpose(data, [0, 2, 3, 1], `${data}_nhwc`);
      r.nodes.push({ ...node, inputs: [`${data}_nhwc`, ...grid] });
    } else if (node.op === 'DequantizeLinear' && !codes && images.has(result)) {
      r.nodes.push({ ...node, outputs: [`${result}_nhwc`] });
      transpose(`${result}_nhwc`, [0, 3, 1, 2], result);
    } else r.nodes.push(...classifierOf(r, node));
  }
  return r.done();
}

/** Layers behind the image as TensorFlow has them. */
function classifierOf(r: Rewriter, node: NodeSpec): NodeSpec[] {
  const [x = '', w = '', bias] = node.inputs ?? [];
  const [y = ''] = node.outputs ?? [];
  if (node.op === 'GlobalAveragePool') return [{ ...node, op: 'ReduceMean', attrs: { axes: [2, 3], keepdims: 1 } }];
  if (node.op === 'Flatten') {
    r.initializers.flat_shape = { shape: [2], dtype: 'i64', data: [1, -1] };
    return [{ ...node, op: 'Reshape', inputs: [x, 'flat_shape'], attrs: {} }];
  }
  if (node.op !== 'Gemm') return [node];
  const product: NodeSpec[] = [
    { op: 'Transpose', name: `Transpose_${w}`, inputs: [w], outputs: [`${w}_t`], attrs: { perm: [1, 0] } },
    { op: 'MatMul', name: node.name, inputs: [x, `${w}_t`], outputs: [bias ? `${y}_product` : y] },
  ];
  return bias ? [...product, { op: 'Add', name: `Add_${y}`, inputs: [`${y}_product`, bias], outputs: [y] }] : product;
}

/**
 * Before: one QuantizeLinear and DequantizeLinear per tensor, with scalar scales
 * After:  a pair of its own for every operator that reads the tensor, scales as lists of one: Neural Compressor and
 *         onnxruntime with DedicatedQDQPair
 */
export function asDedicatedPairs(spec: ModelSpec): ModelSpec {
  const r = new Rewriter(spec);
  for (const node of r.nodes.filter(isGrid))
    for (const name of (node.inputs ?? []).slice(1)) {
      const t = r.initializers[name] as TensorSpec;
      if (t.shape.length === 0) r.initializers[name] = { ...t, shape: [1] };
    }
  const nodes = r.nodes.splice(0);
  const find = (name: string): NodeSpec | undefined => nodes.find((n) => n.outputs?.includes(name));
  for (const node of nodes) {
    if (isGrid(node)) {
      r.nodes.push(node);
      continue;
    }
    const inputs = (node.inputs ?? []).map((name, i) => {
      const dequantize = find(name);
      const quantize = dequantize?.op === 'DequantizeLinear' && find(dequantize.inputs?.[0] as string);
      if (!dequantize || !quantize || quantize.op !== 'QuantizeLinear') return name;
      const own = `${name}_for_${node.name}_${i}`;
      r.nodes.push({ ...quantize, name: `${own}_q`, outputs: [`${own}_codes`] });
      const grid = (dequantize.inputs ?? []).slice(1);
      r.nodes.push({ ...dequantize, name: own, inputs: [`${own}_codes`, ...grid], outputs: [own] });
      return own;
    });
    r.nodes.push({ ...node, inputs });
  }
  return r.done();
}

/**
 * Before: QuantizeLinear, DequantizeLinear
 * After:  a Clip of the codes between them, as PyTorch exports fake quantization with quant_min and quant_max
 */
export function withClippedCodes(
  spec: ModelSpec,
  range: { readonly u8: readonly number[]; readonly i8: readonly number[] },
): ModelSpec {
  const r = new Rewriter(spec);
  const nodes = r.nodes.splice(0);
  for (const node of nodes) {
    r.nodes.push(node);
    if (node.op !== 'QuantizeLinear') continue;
    const [, , zero = ''] = node.inputs ?? [];
    const [codes = ''] = node.outputs ?? [];
    const dtype = r.initializers[zero]?.dtype as 'u8' | 'i8';
    const bounds = ['min', 'max'].map((bound, i) => {
      r.initializers[`${dtype}_${bound}`] = { shape: [], dtype, data: [range[dtype][i] as number] };
      return `${dtype}_${bound}`;
    });
    r.nodes[r.nodes.length - 1] = { ...node, outputs: [`${codes}_free`] };
    r.nodes.push({ op: 'Clip', name: `Clip_${codes}`, inputs: [`${codes}_free`, ...bounds], outputs: [codes] });
  }
  return r.done();
}

/** A variance whose root with the default epsilon is 1. */
const UNIT_VARIANCE = Math.fround(1 - 1e-5);

/**
 * Before: Conv with a real bias
 * After:  Conv of weights that are scaled per channel, a Div that takes the scale back, BatchNormalization with the bias: what
 *         PyTorch leaves of a ConvBn module in training. Factors are powers of two, so that all arithmetic is exact
 */
export function withConvBnLeftovers(spec: ModelSpec): ModelSpec {
  const r = new Rewriter(spec);
  const nodes = r.nodes.splice(0);
  for (const node of nodes) {
    const [x = '', w = '', bias] = node.inputs ?? [];
    const [y = ''] = node.outputs ?? [];
    const offset = bias === undefined ? undefined : r.initializers[bias];
    if (node.op !== 'Conv' || !offset) {
      r.nodes.push(node);
      continue;
    }
    const [n] = offset.shape as [number];
    const list = (name: string, of: (c: number) => number, shape: readonly number[] = [n]): string => {
      r.initializers[`${y}_${name}`] = { shape, data: Array.from({ length: n }, (_, c) => of(c)) };
      return `${y}_${name}`;
    };
    const factor = (c: number): number => 2 ** ((c % 5) - 2);
    const norm = [list('gamma', factor), bias as string, list('mean', () => 0), list('variance', () => UNIT_VARIANCE)];
    r.nodes.push(
      { ...node, inputs: [x, w], outputs: [`${y}_scaled`] },
      {
        op: 'Div',
        name: `Div_${y}`,
        inputs: [`${y}_scaled`, list('factor', factor, [1, n, 1, 1])],
        outputs: [`${y}_raw`],
      },
      { op: 'BatchNormalization', name: `BatchNormalization_${y}`, inputs: [`${y}_raw`, ...norm], outputs: [y] },
    );
  }
  return r.done();
}
