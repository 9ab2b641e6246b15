/** Puts QuantizeLinear and DequantizeLinear on a network, in the styles that exporters use. */
import type { ModelSpec } from '../../test/support/onnx.js';
import { type Range, type Ranges, share } from './calibrate.js';
import type { Layer, Network } from './network.js';
import { quantizeBias, quantizeWeights, type WeightStyle } from './quantize-weights.js';
import type { NetworkParameters } from './weights.js';
import { Writer } from './writer.js';

/** How a quantizer writes files. */
export interface Style {
  /** Codes of activations: u8 with a zero point, or i8 with zero point 0. */
  readonly activations: 'u8' | 'i8';
  readonly weights: WeightStyle;
  /** int32 codes on the scale of the sums, or real numbers. */
  readonly bias: 'i32' | 'f32';
}

/**
 * The styles by name. `u8` is onnxruntime's quantizer (activations absorbed by the range of the codes, the output
 * quantized too), with weights per channel; `u8-tensor` its older defaults. `s8` is symmetric with the activations kept
 * as nodes; `s8-float-bias` leaves the bias as it was, as TensorRT and Paddle do.
 */
export const STYLES: Readonly<Record<string, Style>> = {
  u8: { activations: 'u8', weights: { dtype: 'i8', perChannel: true }, bias: 'i32' },
  s8: { activations: 'i8', weights: { dtype: 'i8', perChannel: true }, bias: 'i32' },
  'u8-tensor': { activations: 'u8', weights: { dtype: 'u8', perChannel: false }, bias: 'i32' },
  's8-float-bias': { activations: 'i8', weights: { dtype: 'i8', perChannel: true }, bias: 'f32' },
};

interface Grid {
  readonly scale: number;
  readonly zeroPoint: number;
}

/** The grid of a range in float32. */
export function gridOf([low, high]: Range, activations: Style['activations']): Grid {
  if (activations === 'i8') return { scale: Math.fround(Math.max(-low, high, 1e-6) / 127), zeroPoint: 0 };
  const scale = Math.fround(Math.max(high - low, 1e-6) / 255);
  return { scale, zeroPoint: Math.min(255, Math.max(0, Math.round(-low / scale))) };
}

/** Writes the layers of one network in one style. */
class Quantizer {
  private readonly writer: Writer;
  private readonly net: Network;
  private readonly ranges: Ranges;
  private readonly style: Style;
  /** Dequantized tensors by the name of what they hold. */
  private readonly dequantized = new Map<string, string>();

  constructor(net: Network, ranges: Ranges, style: Style) {
    this.writer = new Writer(net);
    this.net = net;
    this.style = style;
    const keeps = style.activations === 'u8' ? ['maxpool', 'flatten'] : ['maxpool', 'flatten', 'concat'];
    this.ranges = share(net, ranges, (layer) => keeps.includes(layer.kind));
  }

  /** The file as plain data. */
  spec(parameters: NetworkParameters): ModelSpec {
    const { writer } = this;
    for (const layer of this.net.layers) {
      const inputs = layer.inputs.map((name) => this.fake(name));
      const operands = [...inputs, ...this.weights(layer, parameters)];
      const activation = this.style.activations === 'i8' && 'activation' in layer ? layer.activation : null;
      const linear = activation ? `${layer.name}_linear` : layer.name;
      writer.activation(activation, writer.layer(layer, operands, linear), layer.name);
    }
    const output = this.style.activations === 'u8' ? this.fake(this.net.output) : this.net.output;
    return writer.spec({ [output]: this.net.output });
  }

  private grid(tensor: string): Grid {
    return gridOf(this.ranges[tensor] as Range, this.style.activations);
  }

  /** The tensor on its grid: Q and DQ, once per tensor. */
  private fake(tensor: string): string {
    const known = this.dequantized.get(tensor);
    if (known) return known;
    const { scale, zeroPoint } = this.grid(tensor);
    const code = this.style.activations === 'u8' ? Uint8Array.of(zeroPoint) : Int8Array.of(zeroPoint);
    const params = [
      this.writer.constant(`${tensor}_scale`, [], Float32Array.of(scale)),
      this.writer.constant(`${tensor}_zero_point`, [], code),
    ];
    const codes = this.writer.node('QuantizeLinear', [tensor, ...params], `${tensor}_quantized`);
    const result = this.writer.node('DequantizeLinear', [codes, ...params], `${tensor}_dequantized`);
    this.dequantized.set(tensor, result);
    return result;
  }

  /** Weights and bias of a layer, dequantized. */
  private weights(layer: Layer, parameters: NetworkParameters): string[] {
    const p = parameters.get(layer.name);
    if (!p || !('weights' in layer)) return [];
    const { writer, style } = this;
    const w = quantizeWeights(p.weights, p.channels, style.weights);
    const perAxis = style.weights.perChannel ? [p.channels] : [];
    const attrs = { axis: 0 };
    const constants = (
      name: string,
      shape: readonly number[],
      codes: Int8Array | Uint8Array | Int32Array,
      scales: Float32Array,
      zeros: typeof codes,
    ): string =>
      writer.node(
        'DequantizeLinear',
        [
          writer.constant(`${name}_quantized`, shape, codes),
          writer.constant(`${name}_scale`, perAxis, scales),
          writer.constant(`${name}_zero_point`, perAxis, zeros),
        ],
        name,
        style.weights.perChannel ? attrs : {},
      );
    const weight = constants(`${layer.name}.weight`, layer.weights, w.codes, w.scales, w.zeroPoints);
    const name = `${layer.name}.bias`;
    if (style.bias === 'f32') return [weight, writer.constant(name, [p.channels], p.bias)];
    const input = this.grid(layer.inputs[0]).scale;
    const scales = w.scales.map((s) => s * input);
    const codes = quantizeBias(p.bias, scales);
    return [weight, constants(name, [p.channels], codes, scales, new Int32Array(scales.length))];
  }
}

/** A network fake-quantized, as the plain data of an ONNX file. `ranges` come from `calibrate`. */
export const quantizedModel = (net: Network, parameters: NetworkParameters, ranges: Ranges, style: Style): ModelSpec =>
  new Quantizer(net, ranges, style).spec(parameters);
