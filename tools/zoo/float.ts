import { model } from '../../test/support/onnx.js';
import type { Layer, Network } from './network.js';
import { EPSILON, type NetworkParameters, type Parameters, unfolded } from './weights.js';
import { Writer } from './writer.js';

/** What a float file holds. */
export interface FloatOptions {
  /** Batch normalizations as nodes of their own (default), or folded into the weights. */
  readonly batchNorm?: boolean;
  /** Every tensor is an output, under the name of its layer. */
  readonly expose?: boolean;
}

/** The ONNX file of a network in float32. */
export function floatModel(net: Network, parameters: NetworkParameters, options: FloatOptions = {}): Uint8Array {
  const { batchNorm = true, expose = false } = options;
  const writer = new Writer(net);
  for (const layer of net.layers) {
    const p = parameters.get(layer.name);
    const activation = 'activation' in layer ? layer.activation : null;
    const linear = activation ? `${layer.name}_linear` : layer.name;
    const normalized = batchNorm && p?.norm;
    const raw = normalized ? `${layer.name}_raw` : linear;
    writer.layer(layer, [...layer.inputs, ...weightsOf(writer, layer, p, !normalized)], raw);
    if (normalized) normalization(writer, layer, p, raw, linear);
    writer.activation(activation, linear, layer.name);
  }
  const outputs = expose ? net.layers.map(({ name }) => name) : [net.output];
  return model(writer.spec(Object.fromEntries(outputs.map((name) => [name, name]))));
}

function weightsOf(writer: Writer, layer: Layer, p: Parameters | undefined, folded: boolean): string[] {
  if (!p || !('weights' in layer)) return [];
  const weights = writer.constant(`${layer.name}.weight`, layer.weights, folded ? p.weights : unfolded(p));
  return folded ? [weights, writer.constant(`${layer.name}.bias`, [p.channels], p.bias)] : [weights];
}

function normalization(writer: Writer, layer: Layer, p: Parameters, from: string, to: string): void {
  if (!p.norm) return;
  const { gamma, beta, mean, variance } = p.norm;
  const inputs = Object.entries({ gamma, beta, mean, variance }).map(([name, values]) =>
    writer.constant(`${layer.name}.${name}`, [p.channels], values),
  );
  writer.node('BatchNormalization', [from, ...inputs], to, { epsilon: EPSILON });
}
